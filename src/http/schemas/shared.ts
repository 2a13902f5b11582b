import { CALL_SCHEMAS } from './calls.ts';
import { CAMPAIGN_SCHEMA } from './campaigns.ts';
import { ORDER_SCHEMA } from './orders.ts';
import { PROBLEM_SCHEMA } from './problems.ts';
import { RECORDING_SCHEMA } from './recordings.ts';

/**
 * JSON Schemas that others refer to by their $id. The schemas of this folder validate requests, serialise responses (a
 * field not named in them is not sent) and become the OpenAPI document, so the three cannot differ.
 */
export const SHARED_SCHEMAS = [ORDER_SCHEMA, CAMPAIGN_SCHEMA, ...CALL_SCHEMAS, RECORDING_SCHEMA, PROBLEM_SCHEMA];
