-- Up Migration
-- Staff have ended a call: that was the bot's goodbye, which nobody had heard.
ALTER TABLE call_sessions
  DROP CONSTRAINT call_sessions_outcome,
  ADD CONSTRAINT call_sessions_outcome CHECK (
    CASE status
      WHEN 'ACTIVE' THEN end_cause IS NULL AND call_end_time IS NULL
      WHEN 'COMPLETED' THEN call_end_time IS NOT NULL AND end_cause IS NOT NULL AND end_cause IN
        ('caller-hangup', 'callee-hangup', 'bot-goodbye', 'staff-hangup', 'transferred', 'silence-farewell',
         'wrong-party', 'message-left', 'answering-machine')
      WHEN 'INTERRUPTED' THEN call_end_time IS NOT NULL AND end_cause IS NOT NULL AND end_cause IN
        ('caller-cancelled', 'process-shutdown', 'process-crashed', 'media-timeout', 'network-lost', 'cancelled')
      WHEN 'FAILED' THEN call_end_time IS NOT NULL AND end_cause IS NOT NULL AND end_cause IN
        ('refused-busy', 'refused-offer', 'no-ack', 'media-failed', 'internal-error', 'setup-failed', 'busy', 'declined',
         'no-answer', 'unknown-number', 'refused', 'media-refused', 'unreachable', 'not-allowed', 'no-gateway', 'limited')
    END);

-- Down Migration
ALTER TABLE call_sessions
  DROP CONSTRAINT call_sessions_outcome,
  ADD CONSTRAINT call_sessions_outcome CHECK (
    CASE status
      WHEN 'ACTIVE' THEN end_cause IS NULL AND call_end_time IS NULL
      WHEN 'COMPLETED' THEN call_end_time IS NOT NULL AND end_cause IS NOT NULL AND end_cause IN
        ('caller-hangup', 'callee-hangup', 'bot-goodbye', 'transferred', 'silence-farewell', 'wrong-party',
         'message-left', 'answering-machine')
      WHEN 'INTERRUPTED' THEN call_end_time IS NOT NULL AND end_cause IS NOT NULL AND end_cause IN
        ('caller-cancelled', 'process-shutdown', 'process-crashed', 'media-timeout', 'network-lost', 'cancelled')
      WHEN 'FAILED' THEN call_end_time IS NOT NULL AND end_cause IS NOT NULL AND end_cause IN
        ('refused-busy', 'refused-offer', 'no-ack', 'media-failed', 'internal-error', 'setup-failed', 'busy', 'declined',
         'no-answer', 'unknown-number', 'refused', 'media-refused', 'unreachable', 'not-allowed', 'no-gateway', 'limited')
    END) NOT VALID;
