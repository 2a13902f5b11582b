/** UUID of one call of ours: session_id in the store, sessionId on the API. */
export type CallId = string;

/** Counts the assistant's turns in a call, from 1. Audio of an earlier turn than the current one is stale. */
export type TurnId = number;
