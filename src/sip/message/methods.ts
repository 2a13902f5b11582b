/** Methods some specification defines, served here or not: what nobody has defined is 501, not 405 (21.4.6, 21.5.2). */
const DEFINED = new Set(
  'INVITE ACK BYE CANCEL OPTIONS REGISTER PRACK SUBSCRIBE NOTIFY PUBLISH INFO REFER MESSAGE UPDATE'.split(' '),
);

export function isDefinedMethod(method: string): boolean {
  return DEFINED.has(method);
}
