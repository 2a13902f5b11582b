import type { Order } from '../../api/outbound-types.ts';
import { timeOfDay, words } from '../../format.ts';
import { Moment } from '../moment.tsx';
import { ConfirmButton } from './confirm-button.tsx';
import { OrderChip } from './state-chips.tsx';

export interface OrderTableProps {
  orders: Order[];
  onCancel: (order: Order) => void;
}

/** Orders, each with its calls. */
export function OrderTable({ orders, onCancel }: OrderTableProps) {
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">To</th>
          <th scope="col">Bot</th>
          <th scope="col">State</th>
          <th scope="col">Ordered</th>
          <th scope="col">Calls</th>
          <th scope="col">
            <span className="visually-hidden">Cancel</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {orders.map((order) => (
          <tr key={order.orderId}>
            <th scope="row">{order.to}</th>
            <td>{order.bot}</td>
            <td>
              <OrderChip order={order} />
              <StateNote order={order} />
            </td>
            <td>
              <Moment at={order.createdAt} />
            </td>
            <td>
              <Attempts order={order} />
            </td>
            <td className="actions">
              {(order.state === 'QUEUED' || order.state === 'DIALLING') && !order.cancelRequested && (
                <ConfirmButton
                  label="Cancel"
                  about={`the call to ${order.to}`}
                  question="Cancel it?"
                  onConfirm={() => onCancel(order)}
                />
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function StateNote({ order: { state, outcome, nextAttemptAt } }: { order: Order }) {
  const due = nextAttemptAt !== null && new Date(nextAttemptAt).getTime() > Date.now();
  if (state === 'QUEUED' && due) return <span className="note">due {timeOfDay(nextAttemptAt)}</span>;
  // EXPIRED and CANCELLED say the same twice.
  if (outcome === null || outcome === state.toLowerCase()) return null;
  return <span className="note">{words(outcome)}</span>;
}

function Attempts({ order: { attempts } }: { order: Order }) {
  if (attempts.length === 0) return <span className="muted">None</span>;
  return (
    <ol className="attempts">
      {attempts.map((one) => (
        <li key={one.sessionId}>
          <a href={`/calls/${one.sessionId}`}>{timeOfDay(one.startedAt)}</a>{' '}
          <span className="muted">
            {one.outcome ? words(one.outcome) : 'now'}
            {one.answeredBy && `, a ${one.answeredBy}`}
          </span>
        </li>
      ))}
    </ol>
  );
}
