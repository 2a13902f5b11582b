import { useCallback, useEffect, useState } from 'react';
import type { ApiError } from '../../api/client.ts';
import { outbound } from '../../api/outbound.ts';
import { type Bot, type Gateway, ORDER_STATES, type Order } from '../../api/outbound-types.ts';
import { words } from '../../format.ts';
import { usePolled } from '../../hooks/use-polled.ts';
import { go } from '../../hooks/use-route.ts';
import { type Place, placeHref } from '../../hooks/use-section.ts';
import { Listing } from './listing.tsx';
import { OrderForm } from './order-form.tsx';
import { OrderTable } from './order-table.tsx';

const EVERY_MS = 3000;
const TYPING_PAUSE_MS = 400;

export function OrdersSection({
  place: { state, to },
  bots,
  gateways,
}: {
  place: Place;
  bots: Bot[] | undefined;
  gateways: Gateway[] | undefined;
}) {
  /** Cursors of the pages before this one. */
  const [pages, setPages] = useState<string[]>([]);
  const cursor = pages.at(-1);
  const load = useCallback(
    (signal: AbortSignal) => outbound.orders({ state, to }, cursor, signal),
    [state, to, cursor],
  );
  const { data, error, loading, refresh } = usePolled(load, EVERY_MS);
  const [refusal, setRefusal] = useState('');
  const [typed, setTyped] = useState(to);

  const filter = useCallback((change: { state?: string; to?: string }) => {
    setPages([]);
    go(placeHref({ section: 'orders', ...change }), true);
  }, []);
  useEffect(() => setTyped(to), [to]);
  useEffect(() => {
    if (typed.trim() === to) return;
    const timer = window.setTimeout(() => filter({ state, to: typed.trim() }), TYPING_PAUSE_MS);
    return () => window.clearTimeout(timer);
  }, [typed, to, state, filter]);

  const cancel = (order: Order) => {
    setRefusal('');
    outbound
      .cancelOrder(order.orderId)
      .catch((error: ApiError) => setRefusal(`${order.to}: ${error.message}`))
      .finally(refresh);
  };

  const filtered = state !== '' || to !== '';
  return (
    <div className="with-form">
      <OrderForm bots={bots} gateways={gateways} onOrdered={refresh} />
      <Listing
        title="Orders"
        loading={loading}
        error={refusal || error}
        count={data?.orders.length}
        empty={
          filtered
            ? 'No order is like this.'
            : 'No call was ordered yet: by the form, or by programs (docs/outbound.md).'
        }
        tools={
          <>
            <select
              aria-label="State"
              value={state}
              onChange={(event) => filter({ state: event.target.value, to: typed.trim() })}
            >
              <option value="">Any state</option>
              {ORDER_STATES.map((one) => (
                <option key={one} value={one}>
                  {words(one)}
                </option>
              ))}
            </select>
            <input
              type="search"
              aria-label="Number in full"
              placeholder="Number in full"
              maxLength={256}
              value={typed}
              onChange={(event) => setTyped(event.target.value)}
            />
          </>
        }
      >
        <OrderTable orders={data?.orders ?? []} onCancel={cancel} />
      </Listing>
      {(pages.length > 0 || data?.nextCursor) && (
        <nav className="pager" aria-label="Pages of orders">
          <button
            type="button"
            className="button"
            disabled={pages.length === 0}
            onClick={() => setPages(pages.slice(0, -1))}
          >
            Newer
          </button>
          <button
            type="button"
            className="button"
            disabled={loading || !data?.nextCursor}
            onClick={() => data?.nextCursor && setPages([...pages, data.nextCursor])}
          >
            Older
          </button>
        </nav>
      )}
    </div>
  );
}
