import { StartError } from '../../runtime/errors.ts';
import type { Component } from '../../runtime/lifecycle.ts';

/** Needs first. @throws StartError naming the members of a cycle. */
export const inOrder = (components: readonly Component[]): readonly Component[] => {
  const byName = new Map(components.map((component) => [component.name, component]));
  const done = new Set<Component>();
  const path: Component[] = [];
  const out: Component[] = [];
  const visit = (component: Component): void => {
    if (done.has(component)) return;
    if (path.includes(component)) {
      const names = [...path.slice(path.indexOf(component)), component].map((one) => one.name);
      throw new StartError(`these need each other in a circle: ${names.join(' -> ')}. Remove one of the needs.`);
    }
    path.push(component);
    for (const name of component.needs) {
      const needed = byName.get(name);
      if (needed !== undefined) visit(needed);
    }
    path.pop();
    done.add(component);
    out.push(component);
  };
  for (const component of components) visit(component);
  return out;
};

/** Names of those that start by themselves, and of what they need. `ordered`: needs first. */
export const whatStarts = (ordered: readonly Component[]): ReadonlySet<string> => {
  const names = new Set<string>();
  for (const component of [...ordered].reverse()) {
    if (component.autoStart === false && !names.has(component.name)) continue;
    names.add(component.name);
    for (const name of component.needs) names.add(name);
  }
  return names;
};
