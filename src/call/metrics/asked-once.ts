/** Metrics are scraped together: those that call this meanwhile share one answer. */
export function askedOnce<T>(read: () => Promise<T>): () => Promise<T> {
  let asking: Promise<T> | undefined;
  return () => {
    asking ??= read().finally(() => {
      asking = undefined;
    });
    return asking;
  };
}
