import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import vm from 'node:vm';
import type { Patch } from './patch.ts';
import { PATCHES, patchSupport } from './patches.ts';
import type { Fengari, FengariModule } from './types.ts';

/** The version that the patches were written for. */
export const FENGARI_VERSION = '0.1.5';

/**
 * A private, patched copy of fengari: its files are evaluated again, in a module cache of their own, so that whoever
 * else in the process requires fengari gets the original.
 *
 * @throws Error naming file, pattern and version when fengari is another version or a patch does not fit its text.
 */
export const loadFengari = (patches: readonly Patch[] = PATCHES): Fengari => {
  const entry = createRequire(import.meta.url).resolve('fengari');
  const outside = createRequire(entry);
  const folder = path.dirname(entry);
  const { version } = JSON.parse(readFileSync(path.join(folder, '..', 'package.json'), 'utf8')) as { version: string };
  if (version !== FENGARI_VERSION) {
    throw new Error(
      `fengari ${version} is installed, its patches are for ${FENGARI_VERSION}. Install fengari@${FENGARI_VERSION}.`,
    );
  }
  const unused = new Set(patches.map((patch) => patch.file));
  const modules = new Map<string, { exports: FengariModule }>();

  const load = (file: string): FengariModule => {
    const known = modules.get(file);
    if (known !== undefined) return known.exports; // Possibly half filled: fengari's files require each other in cycles.
    const module = { exports: {} };
    modules.set(file, module);
    unused.delete(file);
    const filename = path.join(folder, file);
    const source = applyPatches(file, readFileSync(filename, 'utf8'), patches);
    const require = (name: string): unknown => (name.startsWith('./') ? load(name.slice(2)) : outside(name));
    const run = vm.compileFunction(source, ['exports', 'require', 'module', '__filename', '__dirname', 'perilune'], {
      filename,
    });
    run(module.exports, require, module, filename, folder, patchSupport);
    return module.exports;
  };

  // lualib.js loads io, os, package and debug: it is served empty but for what the libraries kept here take from it.
  modules.set('lualib.js', { exports: { lua_assert: () => {} } });
  const lua = load('lua.js');
  const defs = load('defs.js');
  const fengari: Fengari = {
    version,
    lua,
    defs,
    lauxlib: load('lauxlib.js'),
    lapi: load('lapi.js'),
    lobject: load('lobject.js'),
    ltable: load('ltable.js'),
    ltm: load('ltm.js'),
    ldo: load('ldo.js'),
    lstate: load('lstate.js'),
    lstring: load('lstring.js'),
    ldebug: load('ldebug.js'),
    lvm: load('lvm.js'),
    lfunc: load('lfunc.js'),
    llex: load('llex.js'),
    luaconf: load('luaconf.js'),
    lbaselib: load('lbaselib.js'),
    lcorolib: load('lcorolib.js'),
    lstrlib: load('lstrlib.js'),
    ltablib: load('ltablib.js'),
    lutf8lib: load('lutf8lib.js'),
    to_luastring: defs.to_luastring,
    to_jsstring: defs.to_jsstring,
  };
  for (const file of unused)
    throw misfit(patches.find((patch) => patch.file === file) as Patch, 'the file is not loaded');
  return fengari;
};

const applyPatches = (file: string, source: string, patches: readonly Patch[]): string => {
  let text = source;
  for (const patch of patches) {
    if (patch.file !== file) continue;
    const parts = text.split(patch.pattern);
    const expected = patch.times ?? 1;
    if (parts.length - 1 !== expected) {
      throw misfit(patch, `it occurs ${parts.length - 1} times instead of ${expected}`);
    }
    text = parts.join(patch.replacement);
  }
  return text;
};

const misfit = (patch: Patch, problem: string): Error =>
  new Error(
    `fengari ${FENGARI_VERSION}: the patch of ${patch.file} does not fit (${problem}): ${JSON.stringify(patch.pattern)}. ` +
      `Restore the published fengari@${FENGARI_VERSION}, or adapt runtime/lua/fengari/patches.ts.`,
  );
