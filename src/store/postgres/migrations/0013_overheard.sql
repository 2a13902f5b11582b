-- Up Migration
-- Sentences that people said to each other are listened to once more, in the recording: until then they are looked for as those
-- without words are.
CREATE INDEX utterances_overheard ON utterances (tenant_id, session_id) WHERE source = 'overheard';

-- Down Migration
DROP INDEX utterances_overheard;
