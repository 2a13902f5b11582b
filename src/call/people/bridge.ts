import type { HeardSource, MediaSession } from '../../media/ports.ts';
import type { SupervisionMode } from './supervision-mode.ts';

export interface Seating<Session = MediaSession> {
  caller: Session;
  /** Those who speak with the caller now; who is only being briefed is not here. */
  agents: readonly Session[];
  supervisors: readonly { session: Session; mode: SupervisionMode }[];
}

type Source<Session> = Omit<HeardSource, 'of'> & { of: Session };

/** Who hears whom in a call. Nobody hears themselves: the media plane sees to that. Pure. */
export function whoHearsWhom<Session>({
  caller,
  agents,
  supervisors,
}: Seating<Session>): Map<Session, Source<Session>[]> {
  const voice = (of: Session): Source<Session> => ({ of, side: 'spoken' });
  const inMode = (...modes: SupervisionMode[]) =>
    supervisors.filter(({ mode }) => modes.includes(mode)).map(({ session }) => session);
  const open = inMode('join', 'take-over');
  const towardsCaller = [...agents, ...open];
  const towardsAgents = [caller, ...agents, ...open, ...inMode('whisper')];
  const hearing = new Map([[caller, towardsCaller.map(voice)]]);
  for (const agent of agents) hearing.set(agent, towardsAgents.filter((one) => one !== agent).map(voice));
  for (const { session } of supervisors) {
    // All the caller is sent holds the bot and the music too.
    const others = [caller, ...agents, ...open].filter((one) => one !== session);
    hearing.set(session, [...others.map(voice), { of: caller, side: 'heard' }]);
  }
  return hearing;
}

/** Brings about in the media plane who hears whom, and takes back what is over. */
export class Bridge {
  #before = new Map<MediaSession, HeardSource[]>();

  seat(seating: Seating): void {
    const now = whoHearsWhom(seating);
    for (const session of this.#before.keys()) if (!now.has(session)) session.hear([]);
    for (const [session, sources] of now) {
      if (!same(sources, this.#before.get(session) ?? [])) session.hear(sources);
    }
    this.#before = now;
  }
}

function same(a: readonly HeardSource[], b: readonly HeardSource[]): boolean {
  return a.length === b.length && a.every(({ of, side }, i) => of === b[i]!.of && side === b[i]!.side);
}
