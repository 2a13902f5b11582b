import type { CallOrder, ClaimedOrder, OrderRequest, OrderState } from './order.ts';
import type { Settlement } from './settle.ts';

export interface NewOrder {
  orderId: string;
  idempotencyKey: string;
  /** Of what the client asked for: tells a repeat from another order under the same key. */
  fingerprint: string;
  request: OrderRequest;
  notBefore: Date;
  notAfter: Date;
}

export interface OrderQuery {
  state?: OrderState;
  /** The number or URI, whole. */
  to?: string;
  limit: number;
  /** Opaque keyset cursor from a page before. */
  cursor?: string;
}

/** `cancelled`: done; `asked`: it is being dialled, and will be given up; `talking`, `over`: too late. */
export type CancelOutcome = 'cancelled' | 'asked' | 'talking' | 'over';

/**
 * All orders of the tenant, shared by its connectors. Every method is one transaction and rejects with a retryable
 * Failure (503) while the database is away.
 */
export interface OrderBook {
  /**
   * Takes an order down. An order of the same key and contents is the same order (`repeated`).
   * @throws Failure idempotency-key-reused (blame caller) when the key stands for another order
   */
  place(order: NewOrder): Promise<{ order: CallOrder; repeated: boolean }>;
  /** What an order of this key has become, if there is one. @throws as place */
  earlier(
    asked: Pick<NewOrder, 'idempotencyKey' | 'fingerprint'>,
  ): Promise<{ order: CallOrder; repeated: boolean } | undefined>;
  get(orderId: string): Promise<CallOrder | undefined>;
  /** The latest first. */
  list(query: OrderQuery): Promise<{ orders: CallOrder[]; nextCursor: string | undefined }>;
  cancel(orderId: string): Promise<{ order: CallOrder; outcome: CancelOutcome } | undefined>;
  /** Takes the order that is due the longest, for this process alone: committed when it resolves. */
  claim(): Promise<ClaimedOrder | undefined>;
  /** It was answered. False when the claim does not stand any more. */
  answered(order: ClaimedOrder): Promise<boolean>;
  /**
   * `become`: what the order becomes, by whether somebody has asked for it back since it was claimed. Undefined when the claim
   * does not stand any more: somebody took this process for dead.
   */
  settle(order: ClaimedOrder, become: (order: ClaimedOrder) => Settlement): Promise<Settlement | undefined>;
  /** Of the orders this process is dialling: those that are to be given up. */
  cancelRequests(): Promise<string[]>;
  /** Orders that waited beyond their time; resolves with how many. */
  expire(): Promise<number>;
  /**
   * Settles what runs that are dead had claimed, by what the records of their calls say. Resolves with how many.
   */
  repair(): Promise<number>;
}
