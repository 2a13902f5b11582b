import { Failure } from '../../core/errors.ts';

/** The key of a request that is sent again stands for something else than it asks for. */
export function keyReused(what: 'order' | 'campaign'): Failure {
  return new Failure(`the idempotency key stands for another ${what}`, {
    code: 'idempotency-key-reused',
    blame: 'caller',
    sipStatus: 400,
  });
}
