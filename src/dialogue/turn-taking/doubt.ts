/** What was understood last, but not for sure. */
export class Doubt {
  #last: string | undefined;

  /** `meaning` was understood, not for sure. Was it the same the last time? Who is asked again says the same again. */
  again(meaning: string): boolean {
    const same = this.#last === meaning;
    this.#last = same ? undefined : meaning;
    return same;
  }

  /** Something was understood for sure. */
  settled(): void {
    this.#last = undefined;
  }
}
