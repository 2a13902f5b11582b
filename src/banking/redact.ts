const SECRET_KEY = /^(?:.*[_-])?pin(?:[_-]?code)?$|[a-z]Pin(?:Code)?$|passw|passcode|secret|^cv[vc]2?$|^otp$/;
const CARD_NUMBER = /(?<![\d.])\d(?:[ -]?\d){12,18}(?![\d])/g;

/** Digits of a full card number become asterisks but for the last four; other text stays. */
export function maskCardNumbers(text: string): string {
  return text.replace(CARD_NUMBER, (match) => {
    const digits = match.replace(/\D/g, '');
    return passesLuhn(digits) ? `${'*'.repeat(digits.length - 4)}${digits.slice(-4)}` : match;
  });
}

/** ISO/IEC 7812-1 annex B: tells card numbers from other long numbers. */
function passesLuhn(digits: string): boolean {
  let sum = 0;
  for (let index = 0; index < digits.length; index++) {
    const digit = Number(digits[digits.length - 1 - index]);
    const doubled = index % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}

/** A copy fit for logs, ledger, results and events: card numbers masked, anything named like a secret left out. */
export function redact<T>(value: T): T {
  return redactValue(value) as T;
}

function redactValue(value: unknown): unknown {
  if (typeof value === 'string') return maskCardNumbers(value);
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 1e12) {
    const text = String(value);
    const masked = maskCardNumbers(text);
    return masked === text ? value : masked;
  }
  if (Array.isArray(value)) return value.map(redactValue);
  if (typeof value === 'object' && value !== null && !(value instanceof Date)) {
    const entries = Object.entries(value).filter(
      ([key]) => !SECRET_KEY.test(key) && !SECRET_KEY.test(key.toLowerCase()),
    );
    return Object.fromEntries(entries.map(([key, inner]) => [key, redactValue(inner)]));
  }
  return value;
}
