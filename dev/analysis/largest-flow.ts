/**
 * The most pairs that can be made between `left` and `right` groups, a pair only where `fits`; groups of alike items,
 * given by their sizes. Augmenting paths; meant for a handful of groups of any size.
 */
export function mostPairs(
  left: readonly number[],
  right: readonly number[],
  fits: (left: number, right: number) => boolean,
): number {
  const freeRight = [...right];
  const flow = left.map(() => right.map(() => 0));
  let pairs = 0;
  for (const [start, size] of left.entries()) {
    let open = size;
    while (open > 0) {
      const moved = augment(start, open, new Set());
      if (moved === 0) break;
      open -= moved;
      pairs += moved;
    }
  }
  return pairs;

  /** Moves up to `limit` items of group `from` to the right, making room by moving others; answers how many. */
  function augment(from: number, limit: number, visited: Set<number>): number {
    for (let to = 0; to < right.length; to++) {
      if (visited.has(to) || !fits(from, to)) continue;
      visited.add(to);
      const row = flow[from] as number[];
      const free = Math.min(limit, freeRight[to] ?? 0);
      if (free > 0) {
        freeRight[to] = (freeRight[to] ?? 0) - free;
        row[to] = (row[to] ?? 0) + free;
        return free;
      }
      for (let other = 0; other < left.length; other++) {
        const held = flow[other]?.[to] ?? 0;
        if (other === from || held === 0) continue;
        const moved = augment(other, Math.min(limit, held), visited);
        if (moved === 0) continue;
        (flow[other] as number[])[to] = held - moved;
        row[to] = (row[to] ?? 0) + moved;
        return moved;
      }
    }
    return 0;
  }
}
