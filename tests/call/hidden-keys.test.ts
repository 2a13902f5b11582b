import { expect, it } from 'vitest';
import { scribing } from './scribing.ts';

it('what is keyed while the recording rests is written down nowhere, and what is said is', () => {
  const { scribe, kept } = scribing();
  const line = (key: string, text: string, source: 'dtmf' | 'speech') =>
    scribe.utterance({
      key,
      speaker: 'caller',
      text,
      heard: text,
      interrupted: false,
      startedAt: 0,
      endedAt: 1,
      source,
    });
  const press = (digit: string) => scribe.event('dtmf', { digit });
  line('1', '471', 'dtmf');
  press('4');
  scribe.keysHidden = true;
  line('2', '98989', 'dtmf');
  line('3', 'my balance please', 'speech');
  press('9');
  scribe.keysHidden = false;
  press('1');
  expect(JSON.stringify(kept)).not.toContain('9898');
  const texts = kept.flatMap((entry) => (entry.kind === 'utterance' ? [entry.row.text] : []));
  expect(texts).toEqual(['471', '[keys]', 'my balance please']);
  const digits = kept.flatMap((entry) => (entry.kind === 'event' ? [entry.row.data.digit] : []));
  expect(digits).toEqual(['4', 'hidden', '1']);
  expect(scribe.callerLines()).toEqual(['471', '[keys]', 'my balance please']);
});
