/** Ids and the ids that each needs first. */
export type Needs = ReadonlyMap<string, readonly string[]>;

/** Every id, needed ones first; where nothing decides, by id. Ids in a cycle come in some order: `cyclesOf` reports them. */
export const dependencyOrder = (needs: Needs): readonly string[] => {
  const order: string[] = [];
  const seen = new Set<string>();
  // An explicit stack: a chain of entries may be longer than the call stack is deep.
  for (const root of [...needs.keys()].sort()) {
    const stack: { id: string; rest: string[] }[] = [];
    const enter = (id: string): void => {
      if (seen.has(id) || !needs.has(id)) return;
      seen.add(id);
      stack.push({ id, rest: [...(needs.get(id) ?? [])].sort().reverse() });
    };
    enter(root);
    while (stack.length > 0) {
      const top = stack[stack.length - 1];
      if (top === undefined) break;
      const next = top.rest.pop();
      if (next !== undefined) {
        enter(next);
        continue;
      }
      order.push(top.id);
      stack.pop();
    }
  }
  return order;
};

/** One cycle through each group of ids that need each other, beginning and ending with the smallest id of it: `[a, b, a]`. */
export const cyclesOf = (needs: Needs): readonly (readonly string[])[] => {
  const cycles: (readonly string[])[] = [];
  const covered = new Set<string>();
  for (const id of [...needs.keys()].sort()) {
    if (covered.has(id)) continue;
    const cycle = shortestWayBack(needs, id);
    if (cycle === undefined) continue;
    for (const member of cycle) covered.add(member);
    cycles.push(cycle);
  }
  return cycles;
};

/** Breadth first, so that the cycle shown is the shortest through `start`. */
const shortestWayBack = (needs: Needs, start: string): readonly string[] | undefined => {
  const cameFrom = new Map<string, string>();
  const queue = [start];
  for (const id of queue) {
    for (const next of needs.get(id) ?? []) {
      if (next === start) {
        const way = [start];
        for (let at = id; at !== start; at = cameFrom.get(at) ?? start) way.push(at);
        return [...way, start].reverse();
      }
      if (cameFrom.has(next)) continue;
      cameFrom.set(next, id);
      queue.push(next);
    }
  }
  return undefined;
};
