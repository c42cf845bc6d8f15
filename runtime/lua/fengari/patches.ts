import { numberText } from '../arguments.ts';
import { bitAnd, bitNot, bitOr, bitXor, shiftLeft } from './bits.ts';
import { indexOfBytes } from './byte-search.ts';
import { MAX_STRING_BYTES, PATTERN_SLICE, patternSteps } from './limits.ts';
import { LONG_BYTES, lookSoon } from './look-soon.ts';
import type { Patch } from './patch.ts';
import { SPEED } from './speed-patches.ts';
import { bytesOfText, isAscii, joinedText } from './strings.ts';
import type { LuaState } from './types.ts';

/** What patched code calls: a parameter named `perilune` of every file. */
export const patchSupport = {
  numberText,
  bitAnd,
  bitOr,
  bitXor,
  bitNot,
  shiftLeft,
  indexOfBytes,
  patternSteps,
  PATTERN_SLICE,
  LONG_BYTES,
  lookSoon,
  /** False: a match has taken all the steps that it may. */
  moreSteps(match: { L: LuaState; budget: number; left: number }): boolean {
    match.left -= PATTERN_SLICE - match.budget;
    if (match.left < 0) return false;
    match.budget = PATTERN_SLICE;
    lookSoon(match.L);
    return true;
  },
  MAX_STRING_BYTES,
  bytesOfText,
  isAscii,
  joinedText,
};

// Arithmetic on fengari's integers wraps at 32 bits (rule 57), so that results become doubles instead: exact to 2^53.
const ARITHMETIC: readonly Patch[] = [
  {
    file: 'lvm.js',
    pattern: 'setivalue((op1.value + op2.value)|0)',
    replacement: 'setfltvalue(op1.value + op2.value)',
  },
  {
    file: 'lvm.js',
    pattern: 'setivalue((op1.value - op2.value)|0)',
    replacement: 'setfltvalue(op1.value - op2.value)',
  },
  {
    file: 'lvm.js',
    pattern: 'setivalue(luaV_imul(op1.value, op2.value))',
    replacement: 'setfltvalue(op1.value * op2.value)',
  },
  { file: 'lvm.js', pattern: 'setivalue((-op.value)|0)', replacement: 'setfltvalue(-op.value)' },
  {
    file: 'lvm.js',
    pattern: 'setivalue(luaV_mod(L, op1.value, op2.value))',
    replacement: 'setfltvalue(luai_nummod(L, op1.value, op2.value))',
  },
  {
    file: 'lvm.js',
    pattern: 'setivalue(luaV_div(L, op1.value, op2.value))',
    replacement: 'setfltvalue(Math.floor(op1.value / op2.value))',
  },
  // An integer loop wraps its counter and clamps its limit: a loop of doubles counts the same and does neither.
  {
    file: 'lvm.js',
    pattern: 'if (init.ttisinteger() && pstep.ttisinteger() && (forlim = forlimit(plimit, pstep.value))) {',
    replacement: 'if (false) {',
  },
  // lua_arith and the compiler's constant folding.
  { file: 'lobject.js', pattern: 'if (p1.ttisinteger() && p2.ttisinteger()) {', replacement: 'if (false) {' },
];

// Bitwise operators take any integral number; fengari's `~` refuses floats, the others what is beyond 32 bits.
const BITS: readonly Patch[] = [
  {
    file: 'lvm.js',
    pattern: 'setivalue(numberop1 & numberop2)',
    replacement: 'setivalue(perilune.bitAnd(numberop1, numberop2))',
  },
  {
    file: 'lvm.js',
    pattern: 'setivalue(numberop1 | numberop2)',
    replacement: 'setivalue(perilune.bitOr(numberop1, numberop2))',
  },
  {
    file: 'lvm.js',
    pattern: 'setivalue(numberop1 ^ numberop2)',
    replacement: 'setivalue(perilune.bitXor(numberop1, numberop2))',
  },
  {
    file: 'lvm.js',
    pattern: 'if (op.ttisinteger()) {\n                    L.stack[ra].setivalue(~op.value);',
    replacement:
      'let whole;\n                if ((whole = tointeger(op)) !== false) { L.stack[ra].setivalue(perilune.bitNot(whole));',
  },
  {
    file: 'lvm.js',
    pattern: 'const luaV_shiftl = function(x, y) {',
    replacement: 'const luaV_shiftl = function(x, y) { return perilune.shiftLeft(x, y);',
  },
  { file: 'lobject.js', pattern: 'return (v1 & v2);', replacement: 'return perilune.bitAnd(v1, v2);' },
  { file: 'lobject.js', pattern: 'return (v1 | v2);', replacement: 'return perilune.bitOr(v1, v2);' },
  { file: 'lobject.js', pattern: 'return (v1 ^ v2);', replacement: 'return perilune.bitXor(v1, v2);' },
  { file: 'lobject.js', pattern: 'return (~0 ^ v1);', replacement: 'return perilune.bitNot(v1);' },
];

// An integer is any integral number up to 2^53, that one included, not only what fits 32 bits.
const INTEGER_RANGE: readonly Patch[] = [
  {
    file: 'luaconf.js',
    pattern: 'const LUA_MAXINTEGER = 2147483647;',
    replacement: 'const LUA_MAXINTEGER = Number.MAX_SAFE_INTEGER;',
  },
  {
    file: 'luaconf.js',
    pattern: 'const LUA_MININTEGER = -2147483648;',
    replacement: 'const LUA_MININTEGER = Number.MIN_SAFE_INTEGER;',
  },
  {
    file: 'luaconf.js',
    pattern: 'n >= LUA_MININTEGER && n < -LUA_MININTEGER ? n : false',
    replacement: 'n >= LUA_MININTEGER - 1 && n <= LUA_MAXINTEGER + 1 ? n : false',
  },
  {
    file: 'lapi.js',
    pattern: 'fengari_argcheck(typeof n === "number" && (n|0) === n);',
    replacement: 'fengari_argcheck((n|0) === n || (Number.isInteger(n) && Math.abs(n) <= 2 ** 53));',
  },
  { file: 'ltable.js', pattern: 'lua_assert(typeof key == "number" && (key|0) === key);', replacement: '' },
  {
    file: 'ltable.js',
    pattern: 'lua_assert(typeof key == "number" && (key|0) === key && value instanceof lobject.TValue);',
    replacement: '',
  },
  // Hexadecimal text wraps at 32 bits; what is beyond 2^53 is read as a double by the caller's second try.
  {
    file: 'lobject.js',
    pattern: 'a = (a * 16 + luaO_hexavalue(s[i]))|0;',
    replacement: 'a = a * 16 + luaO_hexavalue(s[i]); if (a > Number.MAX_SAFE_INTEGER) return null;',
  },
  // `-2147483648` is the one decimal that passes the check before this line and has no positive counterpart.
  { file: 'lobject.js', pattern: 'a = (a * 10 + d)|0;', replacement: 'a = a * 10 + d;' },
  { file: 'lobject.js', pattern: 'n: (neg ? -a : a)|0,', replacement: 'n: neg ? 0 - a : a,' },
];

// An integral number prints without fraction or exponent (lua/common.md, section 1).
const PRINTING: readonly Patch[] = [
  {
    file: 'lobject.js',
    pattern: 'if (obj.ttisinteger())\n        buff = to_luastring(lua_integer2str(obj.value));\n    else {',
    replacement: 'buff = to_luastring(perilune.numberText(obj.value));\n    if (false) {',
  },
];

const READ_ONLY = 'ldebug.luaG_runerror(L, to_luastring("attempt to modify a read-only table", true));';
const TABLES: readonly Patch[] = [
  { file: 'ltable.js', pattern: 'this.flags = ~0;', replacement: 'this.flags = ~0; this.readonly = false;' },
  {
    file: 'lvm.js',
    pattern: "let h = t.value; /* save 't' table */",
    replacement: `let h = t.value; if (h.readonly) ${READ_ONLY}`,
  },
  {
    file: 'lapi.js',
    pattern: 'ltable.luaH_setfrom(L, o.value, k, v);',
    replacement: `if (o.value.readonly) ${READ_ONLY} ltable.luaH_setfrom(L, o.value, k, v);`,
    times: 2,
  },
  {
    file: 'lapi.js',
    pattern: 'ltable.luaH_setint(o.value, n, L.stack[L.top - 1]);',
    replacement: `if (o.value.readonly) ${READ_ONLY} ltable.luaH_setint(o.value, n, L.stack[L.top - 1]);`,
  },
];

// A match of many steps is worth a look at the budget when it has ended (`lookSoon`).
const STEP = 'if (--ms.budget < 0 && !perilune.moreSteps(ms)) luaL_error(ms.L, to_luastring("pattern too complex"));';
const BOUNDS: readonly Patch[] = [
  {
    file: 'lvm.js',
    pattern: 'let buff = new Uint8Array(tl);',
    replacement:
      'if (tl > perilune.MAX_STRING_BYTES) ldebug.luaG_runerror(L, to_luastring("string length overflow", true));\n' +
      '            if (tl > perilune.LONG_BYTES) perilune.lookSoon(L);\n            let buff = new Uint8Array(tl);',
  },
  ...['<', '<='].map((operator) => ({
    file: 'lvm.js',
    pattern: `return l_strcmp(l.tsvalue(), r.tsvalue()) ${operator} 0 ? 1 : 0;`,
    replacement: `{ if (l.vslen() > perilune.LONG_BYTES) perilune.lookSoon(L); return l_strcmp(l.tsvalue(), r.tsvalue()) ${operator} 0 ? 1 : 0; }`,
  })),
  {
    file: 'lauxlib.js',
    pattern: 'let newend = B.n + sz;',
    replacement:
      'let newend = B.n + sz; if (newend > perilune.MAX_STRING_BYTES) luaL_error(B.L, to_luastring("resulting string too large", true));',
  },
  {
    file: 'lstrlib.js',
    pattern: 'ms.matchdepth = MAXCCALLS;',
    replacement: 'ms.matchdepth = MAXCCALLS; ms.budget = perilune.PATTERN_SLICE; ms.left = perilune.patternSteps(ls);',
  },
  {
    file: 'lstrlib.js',
    pattern: 'this.matchdepth = NaN;',
    replacement: 'this.budget = 0; this.left = 0; this.matchdepth = NaN;',
  },
  {
    file: 'lstrlib.js',
    pattern: 'gm.ms.L = L;',
    replacement:
      'gm.ms.L = L; gm.ms.budget = perilune.PATTERN_SLICE; gm.ms.left = perilune.patternSteps(gm.ms.src_end);',
  },
  // Every step: an item tried, a byte compared, a member of a class looked at.
  {
    file: 'lstrlib.js',
    pattern: 'while (gotoinit || gotodefault) {',
    replacement: `while (gotoinit || gotodefault) { ${STEP}`,
  },
  {
    file: 'lstrlib.js',
    pattern: 'const singlematch = function(ms, s, p, ep) {',
    replacement: `const singlematch = function(ms, s, p, ep) { ms.budget -= ep - p; ${STEP}`,
  },
  { file: 'lstrlib.js', pattern: 'while (++s < ms.src_end) {', replacement: `while (++s < ms.src_end) { ${STEP}` },
  {
    file: 'lstrlib.js',
    pattern: 'if ((ms.src_end-s) >= len && array_cmp(',
    replacement: `ms.budget -= Math.max(len, 0); ${STEP}\n    if ((ms.src_end-s) >= len && array_cmp(`,
  },
];

const SEARCH: readonly Patch[] = [
  {
    file: 'lstrlib.js',
    pattern: 'const find_subarray = function(arr, subarr, from_index) {',
    replacement:
      'const find_subarray = function(arr, subarr, from_index) { if (from_index === 0) return perilune.indexOfBytes(arr, subarr);',
  },
];

const REPAIRS: readonly Patch[] = [
  // The precedence of C: without the bit, the first error that a `pcall` caught switched the hook off, and with it limits,
  // cancellation and fairness for the rest of the call.
  {
    file: 'lapi.js',
    pattern: 'ci.callstatus &= ~lstate.CIST_OAH | L.allowhook;',
    replacement: 'ci.callstatus = (ci.callstatus & ~lstate.CIST_OAH) | L.allowhook;',
  },
  // 0 is a match too: `("abc"):find("b*")` is 1, 0 and not 2, 2.
  { file: 'lstrlib.js', pattern: 'if (res) return res;', replacement: 'if (res !== null) return res;' },
  // Messages show a path whole, not its last 59 bytes; the process's environment configures no virtual machine.
  {
    file: 'luaconf.js',
    pattern: '(process.env.FENGARICONF ? JSON.parse(process.env.FENGARICONF) : {})',
    replacement: '{ LUA_IDSIZE: 1024 }',
  },
  // A fresh view per character made `gsub` on long texts slow.
  {
    file: 'lauxlib.js',
    pattern: 'luaL_prepbuffsize(B, 1);\n    B.b[B.n++] = c;',
    replacement: 'if (B.n === B.b.length) luaL_prepbuffsize(B, 1);\n    B.b[B.n++] = c;',
  },
];

/** All changes to fengari 0.1.5, in the order of application. */
export const PATCHES: readonly Patch[] = [
  ...ARITHMETIC,
  ...BITS,
  ...INTEGER_RANGE,
  ...PRINTING,
  ...TABLES,
  ...BOUNDS,
  ...SEARCH,
  ...REPAIRS,
  ...SPEED,
];
