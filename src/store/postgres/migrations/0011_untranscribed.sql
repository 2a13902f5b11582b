-- Up Migration
-- Sentences that get their words later, from the recording: few, and looked for at every start and call by call.
CREATE INDEX utterances_not_transcribed ON utterances (tenant_id, session_id) WHERE generated = '[not transcribed]';

-- Down Migration
DROP INDEX utterances_not_transcribed;
