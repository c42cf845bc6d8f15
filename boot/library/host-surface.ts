import type { Component } from '../../runtime/lifecycle.ts';
import type { Surface } from '../../runtime/surface.ts';
import type { RuntimeOptions } from './options.ts';

/** What a host program adds, as a surface like any other: its names are known where entries list their modules. */
export const hostSurface = (
  { modules = [], classes = [] }: Pick<RuntimeOptions, 'modules' | 'classes'>,
  components: readonly Component[],
): Surface => ({
  kinds: {},
  modules: modules.map(({ name }) => name),
  build({ engine }) {
    for (const one of classes) engine.defineClass(one);
    for (const one of modules) engine.define(one);
    return components;
  },
});
