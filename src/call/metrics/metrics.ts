import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { EventRecord } from '../record/records.ts';
import type { LiveEvent } from '../registry.ts';
import { LineMetrics } from './line-metrics.ts';

const TURN_BUCKETS = [0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.8, 1, 1.5, 2, 3, 5];
const BARGE_IN_BUCKETS = [0.04, 0.08, 0.12, 0.16, 0.2, 0.3, 0.5, 1];

/** Watches live events and counts; an observer only, it never touches a call. */
export class CallMetrics {
  readonly #calls: Counter<'status' | 'cause'>;
  readonly #outbound: Counter<'outcome' | 'answered_by'>;
  readonly #utterances: Counter<'speaker' | 'interrupted'>;
  readonly #steps: Histogram<'step'>;
  readonly #bargeIn: Histogram;
  readonly #actions: Counter<'action' | 'code'>;
  readonly #endpoints: Counter<'reason'>;
  readonly #lateMachines: Counter;
  readonly #handovers: Counter<'outcome'>;
  readonly #bargeIns: Counter<'outcome'>;
  readonly #backchannels: Counter;
  readonly #line: LineMetrics;

  constructor(registry: Registry, activeCalls: () => number) {
    const registers = [registry];
    this.#calls = new Counter({
      name: 'voice_calls_total',
      help: 'Calls that ended',
      labelNames: ['status', 'cause'],
      registers,
    });
    this.#outbound = new Counter({
      name: 'voice_outbound_calls_total',
      help: 'Calls of ours that ended, by how and by who answered',
      labelNames: ['outcome', 'answered_by'],
      registers,
    });
    this.#utterances = new Counter({
      name: 'voice_utterances_total',
      help: 'Utterances',
      labelNames: ['speaker', 'interrupted'],
      registers,
    });
    this.#steps = new Histogram({
      name: 'voice_turn_seconds',
      help: 'From the end of the caller’s speech to each step of the answer; first_packet is voice-to-voice',
      labelNames: ['step'],
      buckets: TURN_BUCKETS,
      registers,
    });
    this.#bargeIn = new Histogram({
      name: 'voice_barge_in_to_silence_seconds',
      help: 'From the caller’s first voiced window over the bot to the bot’s last packet',
      buckets: BARGE_IN_BUCKETS,
      registers,
    });
    this.#actions = new Counter({
      name: 'voice_actions_total',
      help: 'Banking actions',
      labelNames: ['action', 'code'],
      registers,
    });
    this.#lateMachines = new Counter({
      name: 'voice_outbound_late_machines_total',
      help: 'Answering machines that were taken for people at first, and found out by their beep',
      registers,
    });
    this.#handovers = new Counter({
      name: 'voice_handovers_total',
      help: 'Hand-overs to people that ended, by how',
      labelNames: ['outcome'],
      registers,
    });
    this.#endpoints = new Counter({
      name: 'voice_endpoints_total',
      help: 'Answered utterances of callers, by why the caller was taken to be done',
      labelNames: ['reason'],
      registers,
    });
    this.#bargeIns = new Counter({
      name: 'voice_barge_ins_total',
      help: 'Speech or keys over the bot: interrupted, or ignored (the bot went on)',
      labelNames: ['outcome'],
      registers,
    });
    this.#backchannels = new Counter({
      name: 'voice_backchannels_total',
      help: 'Sounds and words of callers that said "I am listening" and were no turn',
      registers,
    });
    this.#line = new LineMetrics(registry);
    new Gauge({
      name: 'voice_active_calls',
      help: 'Calls in progress',
      registers,
      collect() {
        this.set(activeCalls());
      },
    });
  }

  count(event: LiveEvent): void {
    if (event.type === 'session' && event.session.status !== 'ACTIVE') {
      const { status, endCause = 'unknown', direction, answeredBy, answerTime } = event.session;
      this.#calls.inc({ status, cause: endCause });
      if (direction === 'OUTBOUND') {
        this.#outbound.inc({ outcome: endCause, answered_by: answerTime ? (answeredBy ?? 'unknown') : 'nobody' });
      }
    } else if (event.type === 'event') {
      this.#countEvent(event.event);
    } else if (event.type === 'utterance' && event.utterance.endedAt !== undefined) {
      // Reported once more at the end only: an utterance under way has no end.
      const { speaker, interrupted, timings } = event.utterance;
      this.#utterances.inc({ speaker, interrupted: String(interrupted) });
      const steps = {
        endpoint: timings?.endpointMs,
        asr_final: timings?.asrFinalMs,
        first_token: timings?.firstTokenMs,
        first_audio: timings?.firstAudioMs,
        first_packet: timings?.firstPacketMs,
      };
      for (const [step, ms] of Object.entries(steps)) if (ms !== undefined) this.#steps.observe({ step }, ms / 1000);
      if (timings?.endpointReason !== undefined) this.#endpoints.inc({ reason: timings.endpointReason });
      if (timings?.bargeInToSilenceMs !== undefined) this.#bargeIn.observe(timings.bargeInToSilenceMs / 1000);
    }
  }

  #countEvent({ type, data }: EventRecord): void {
    switch (type) {
      case 'answered-by':
        if (data.late === true) this.#lateMachines.inc();
        return;
      case 'action-done':
        // What a language model has made up would be a series of its own each time.
        this.#actions.inc({
          action: data.code === 'unknown-action' ? 'unknown' : String(data.action),
          code: String(data.code),
        });
        return;
      case 'barge-in':
        this.#bargeIns.inc({ outcome: 'interrupted' });
        return;
      case 'barge-in-ignored':
        this.#bargeIns.inc({ outcome: 'ignored' });
        return;
      case 'handover-ended':
        this.#handovers.inc({ outcome: String(data.outcome) });
        return;
      case 'backchannel':
        this.#backchannels.inc();
        return;
      case 'media-report':
        this.#line.observe(data);
        return;
    }
  }
}
