import { useCallback, useEffect } from 'react';
import { outbound } from '../api/outbound.ts';
import { CampaignsSection } from '../components/outbound/campaigns-section.tsx';
import { DoNotCallSection } from '../components/outbound/do-not-call-section.tsx';
import { GatewaysSection, NO_GATEWAY } from '../components/outbound/gateways-section.tsx';
import { OrdersSection } from '../components/outbound/orders-section.tsx';
import { TopBar } from '../components/top-bar.tsx';
import { useLiveCalls } from '../hooks/use-live-calls.ts';
import { usePolled } from '../hooks/use-polled.ts';
import { followLink, placeHref, SECTIONS, type Section, usePlace } from '../hooks/use-section.ts';

/** Calling out: orders, campaigns, who is never called, and the ways out. */
export function CallsOutPage({ onSignOut }: { onSignOut: () => void }) {
  const place = usePlace();
  const { section } = place;
  const { live, connection } = useLiveCalls();
  const load = useCallback(
    (signal: AbortSignal) => outbound.bots(signal).then((bots) => bots.filter((bot) => bot.outbound)),
    [],
  );
  const bots = usePolled(load);
  const gateways = usePolled(outbound.gateways);

  useEffect(() => {
    document.title = `Calls out: ${SECTIONS[section]}`;
  }, [section]);

  return (
    <div className="shell">
      <TopBar live={live.length} connection={connection} onSignOut={onSignOut} />
      <main className="calls-out">
        <h1 className="visually-hidden">Calls out</h1>
        <nav className="sections" aria-label="Calls out">
          {Object.entries(SECTIONS).map(([name, label]) => (
            <a
              key={name}
              href={placeHref({ section: name as Section })}
              aria-current={section === name ? 'page' : undefined}
              onClick={followLink}
            >
              {label}
            </a>
          ))}
        </nav>
        {section !== 'gateways' && gateways.data?.length === 0 && <p className="configure">{NO_GATEWAY}</p>}
        {bots.data?.length === 0 && (
          <p className="configure">
            No bot calls out: give one an <code>outbound</code> part (docs/outbound.md, The bot that calls).
          </p>
        )}
        {bots.error && (
          <p className="configure" role="alert">
            The bots cannot be read: {bots.error}
          </p>
        )}
        {section === 'orders' && <OrdersSection place={place} bots={bots.data} gateways={gateways.data} />}
        {section === 'campaigns' && <CampaignsSection bots={bots.data} />}
        {section === 'do-not-call' && <DoNotCallSection />}
        {section === 'gateways' && <GatewaysSection />}
      </main>
    </div>
  );
}
