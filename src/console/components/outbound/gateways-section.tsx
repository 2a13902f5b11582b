import { outbound } from '../../api/outbound.ts';
import type { Gateway, Registration } from '../../api/outbound-types.ts';
import { count, timeOfDay, words } from '../../format.ts';
import { usePolled } from '../../hooks/use-polled.ts';
import { Listing } from './listing.tsx';
import { GatewayChip, RegistrationChip } from './state-chips.tsx';

export const NO_GATEWAY = 'No gateway is configured, so nobody can be called: docs/outbound.md, Gateways.';

const EVERY_MS = 3000;

export function GatewaysSection() {
  const gateways = usePolled(outbound.gateways, EVERY_MS);
  const registrations = usePolled(outbound.registrations, EVERY_MS);
  return (
    <div className="stack">
      <Listing
        title="Gateways, in the order of trying"
        loading={gateways.loading}
        error={gateways.error}
        count={gateways.data?.length}
        empty={NO_GATEWAY}
      >
        <GatewayTable gateways={gateways.data ?? []} />
      </Listing>
      <Listing
        title="Registrations"
        loading={registrations.loading}
        error={registrations.error}
        count={registrations.data?.length}
        empty="The connector is registered nowhere. To be an extension of a PBX: docs/outbound.md, Registrations."
      >
        <RegistrationTable registrations={registrations.data ?? []} />
      </Listing>
    </div>
  );
}

function GatewayTable({ gateways }: { gateways: Gateway[] }) {
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">Name</th>
          <th scope="col">State</th>
          <th scope="col">Calls now</th>
          <th scope="col">In 24 hours</th>
          <th scope="col">Since the start</th>
          <th scope="col">Last failure</th>
        </tr>
      </thead>
      <tbody>
        {gateways.map(({ name, state, calls, callsToday, limits, outcomes, lastFailure }) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td>
              <GatewayChip state={state} />
            </td>
            <td>
              {calls} of {limits.calls}
            </td>
            <td>
              {count(callsToday)} of {count(limits.callsPerDay)}
            </td>
            <td>
              {Object.entries(outcomes)
                .map(([outcome, times]) => `${times} ${words(outcome).toLowerCase()}`)
                .join(', ') || <span className="muted">No call</span>}
            </td>
            <td>
              {lastFailure ? `${timeOfDay(lastFailure.at)} ${lastFailure.reason}` : <span className="muted">None</span>}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function RegistrationTable({ registrations }: { registrations: Registration[] }) {
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">Name</th>
          <th scope="col">State</th>
          <th scope="col">Address</th>
          <th scope="col">Registrar</th>
          <th scope="col">Until</th>
          <th scope="col">Last failure</th>
        </tr>
      </thead>
      <tbody>
        {registrations.map(({ name, registered, state, aor, registrar, expiresAt, lastFailure }) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td>
              <RegistrationChip registered={registered} state={state} />
            </td>
            <td>{aor.replace(/[<>]/g, '')}</td>
            <td>{registrar}</td>
            <td>{expiresAt ? timeOfDay(expiresAt) : <span className="muted">–</span>}</td>
            <td>{lastFailure ?? <span className="muted">None</span>}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
