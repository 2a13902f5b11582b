/** How values are said aloud; one door to both files. */
export { renderSay, sayFault } from './render-say.ts';
export { spokenDate, spokenDigits, spokenList, spokenMoney, spokenNumber } from './spoken-values.ts';
