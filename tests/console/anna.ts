import { amplitudeOf, tone } from '../media/support.ts';
import type { Connector } from '../support/connector.ts';
import type { AnsweredCall } from '../support/phone/answering-phone.ts';
import type { Phone } from '../support/phone/phone.ts';
import { type Browser, openBrowser, signIn } from './browser.ts';
import { fakeMicrophone } from './fake-microphone.ts';
import { listenTo } from './listening-page.ts';

/** Her voice, told from the bot's by its pitch. */
const HZ = 900;

/** Anna of the bank's staff at a browser: signed in, with a microphone in which she speaks without a pause. */
export async function openAnna(connector: Connector): Promise<Browser> {
  const microphone = await fakeMicrophone(tone(8000, HZ, 0.3), 'looped');
  const browser = await openBrowser({ args: microphone.args });
  const close = async () => {
    await browser.close();
    await microphone.remove();
  };
  try {
    await listenTo(browser.page);
    await browser.context.grantPermissions(['microphone'], { origin: connector.url });
    await signIn(browser.page, connector.url, connector.token);
  } catch (error) {
    await close();
    throw error;
  }
  return { ...browser, close };
}

/** Does this end of a call hear her now? It is open with `record: true`. */
export function hearsAnna({ line }: Pick<Phone | AnsweredCall, 'line'>): boolean {
  return amplitudeOf(line.tape!.received().subarray(-1600), HZ) > 0.05;
}
