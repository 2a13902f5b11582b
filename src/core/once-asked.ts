/** Makes it when it is first asked for, and gives the same from then on. What throws is made anew by the next who asks. */
export function onceAsked<T extends object>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
