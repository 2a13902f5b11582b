import { post, request, requestText, sendJson } from './client.ts';
import type {
  BarredNumber,
  Bot,
  Campaign,
  CreatedCampaign,
  Gateway,
  NewCampaign,
  NewOrder,
  Order,
  OrderPage,
  Registration,
} from './outbound-types.ts';

const barredPath = (number: string) => `/do-not-call/${encodeURIComponent(number)}`;

export const resultsPath = (campaignId: string) => `/campaigns/${campaignId}/results`;

/** The part of the API that calls out: docs/outbound.md. */
export const outbound = {
  bots: (signal: AbortSignal) => request<{ bots: Bot[] }>('/bots', { signal }).then(({ bots }) => bots),
  orders(filters: { state: string; to: string }, cursor: string | undefined, signal: AbortSignal): Promise<OrderPage> {
    const params = new URLSearchParams({ limit: '50' });
    for (const [name, value] of Object.entries({ ...filters, cursor })) if (value) params.set(name, value);
    return request<OrderPage>(`/orders?${params}`, { signal });
  },
  /** The same key with the same contents is the same order, should the first answer have been lost. */
  order: (order: NewOrder, key: string) => post<Order>('/calls', order, { 'idempotency-key': key }),
  cancelOrder: (orderId: string) => request<Order>(`/orders/${orderId}`, { method: 'DELETE' }),
  campaigns: (signal: AbortSignal) =>
    request<{ campaigns: Campaign[] }>('/campaigns', { signal }).then(({ campaigns }) => campaigns),
  /** As with an order: sent again under the same key, it is the same campaign. */
  createCampaign: (campaign: NewCampaign, key: string) =>
    post<CreatedCampaign>('/campaigns', campaign, { 'idempotency-key': key }),
  moveCampaign: (campaignId: string, step: 'pause' | 'resume' | 'cancel') =>
    request<Campaign>(`/campaigns/${campaignId}/${step}`, { method: 'POST' }),
  results: (campaignId: string, signal: AbortSignal) => requestText(resultsPath(campaignId), signal),
  barred: (signal: AbortSignal) =>
    request<{ numbers: BarredNumber[] }>('/do-not-call', { signal }).then(({ numbers }) => numbers),
  bar: (number: string, reason: string) => sendJson<void>('PUT', barredPath(number), { reason }),
  unbar: (number: string) => request<void>(barredPath(number), { method: 'DELETE' }),
  gateways: (signal: AbortSignal) =>
    request<{ gateways: Gateway[] }>('/gateways', { signal }).then(({ gateways }) => gateways),
  registrations: (signal: AbortSignal) =>
    request<{ registrations: Registration[] }>('/registrations', { signal }).then(({ registrations }) => registrations),
};
