import type { Patch } from './patch.ts';

// Taking a property away is a call into the engine's runtime; an empty slot does the same to whoever reads the stack.
const CLEARED = 'L.stack[--L.top] = void 0;';
const STACK: readonly Patch[] = [
  { file: 'lapi.js', pattern: 'delete L.stack[--L.top];', replacement: CLEARED, times: 16 },
  {
    file: 'lapi.js',
    pattern: 'delete from.stack[from.top + i];',
    replacement: 'from.stack[from.top + i] = void 0;',
  },
  { file: 'lapi.js', pattern: 'delete L.stack[L.top];', replacement: 'L.stack[L.top] = void 0;' },
  { file: 'ldebug.js', pattern: 'delete L.stack[--L.top];', replacement: CLEARED },
  { file: 'ldo.js', pattern: 'delete L.stack[--L.top];', replacement: CLEARED, times: 3 },
  { file: 'ldo.js', pattern: 'delete L.stack[i];', replacement: 'L.stack[i] = void 0;', times: 2 },
  { file: 'ltm.js', pattern: 'delete L.stack[--L.top];', replacement: CLEARED },
  { file: 'lvm.js', pattern: 'delete L.stack[--L.top];', replacement: CLEARED, times: 3 },
];

// A string keeps bytes, text or both, and makes the other at the first use: most texts of the host are handed back to
// it, or only compared, and never need bytes.
const STRINGS: readonly Patch[] = [
  {
    file: 'lstring.js',
    pattern: 'this.realstring = str;',
    replacement:
      'if (typeof str === "string") { this.bytes = null; this.peText = str; }\n' +
      '        else { this.bytes = str; this.peText = void 0; }',
  },
  {
    file: 'lstring.js',
    pattern: '    getstr() {',
    replacement:
      '    get realstring() {\n' +
      '        return this.bytes === null ? (this.bytes = perilune.bytesOfText(this.peText)) : this.bytes;\n' +
      '    }\n\n    getstr() {',
  },
  { file: 'lstring.js', pattern: 'lua_assert(str instanceof Uint8Array);', replacement: '' },
  {
    file: 'lstring.js',
    pattern: 'return a == b || luastring_eq(a.realstring, b.realstring);',
    replacement:
      'if (a === b) return true;\n' +
      '    if (a.peText !== void 0 && b.peText !== void 0) return a.peText === b.peText;\n' +
      '    return luastring_eq(a.realstring, b.realstring);',
  },
  // In hexadecimal without padding 1, 18 and 17, 2 were the same key; and a character is cheaper than its digits.
  {
    file: 'lstring.js',
    pattern: 's += str[i].toString(16);',
    replacement: 's += String.fromCharCode(str[i]);',
  },
  {
    file: 'lstring.js',
    pattern: 'ts.hash = luaS_hash(ts.getstr());',
    replacement:
      'ts.hash = ts.peText !== void 0 && perilune.isAscii(ts.peText) ? "|" + ts.peText : luaS_hash(ts.getstr());',
  },
];

// Texts are joined as texts: most of them go on to the host, or into the next concatenation.
const CONCATENATION: readonly Patch[] = [
  {
    file: 'lvm.js',
    pattern: 'return o.ttisstring() && o.vslen() === 0;',
    replacement:
      'if (!o.ttisstring()) return false;\n' +
      '    return o.value.peText !== void 0 ? o.value.peText.length === 0 : o.vslen() === 0;',
  },
  {
    file: 'lvm.js',
    pattern:
      '        } else {\n            /* at least two non-empty string values; get as many as possible */\n' +
      '            let tl = L.stack[top-1].vslen();',
    replacement:
      '        } else if (L.stack[top-2].ttisstring() && (joined = perilune.joinedText(L.stack[top-2].value, L.stack[top-1].value)) !== void 0) {\n' +
      '            lobject.setsvalue2s(L, top - 2, luaS_bless(L, joined));\n' +
      '        } else {\n            let tl = L.stack[top-1].vslen();',
  },
  { file: 'lvm.js', pattern: 'let n = 2; /* number', replacement: 'let joined; let n = 2; /* number' },
];

// Most tables never lose a key: the map of those that were taken away is made for the first.
const TABLES: readonly Patch[] = [
  { file: 'ltable.js', pattern: 'this.dead_strong = new Map();', replacement: 'this.dead_strong = void 0;' },
  { file: 'ltable.js', pattern: 't.dead_strong.clear();', replacement: 't.dead_strong = void 0;' },
  {
    file: 'ltable.js',
    pattern: 't.dead_strong.set(hash, e);',
    replacement: '(t.dead_strong || (t.dead_strong = new Map())).set(hash, e);',
  },
  {
    file: 'ltable.js',
    pattern: '|| table.dead_strong.get(hash);',
    replacement: '|| (table.dead_strong && table.dead_strong.get(hash));',
  },
];

// V8 counts how long the objects live that a literal makes: those of the start, which make up the libraries, live for ever, so
// that it put all later ones into the heap's old part as well, with what they refer to. It does not count objects of classes.
const ENTRIES: readonly Patch[] = [
  {
    file: 'ltable.js',
    pattern: 'const add = function(t, hash, key, value) {',
    replacement:
      'class Entry {\n    constructor(key, value, p) { this.key = key; this.value = value; this.p = p; this.n = void 0; }\n}\n\n' +
      'const add = function(t, hash, key, value) {',
  },
  {
    file: 'ltable.js',
    pattern:
      'let prev = null;\n    let entry = {\n        key: key,\n        value: value,\n        p: prev = t.l,\n        n: void 0\n    };',
    replacement: 'let prev = t.l;\n    let entry = new Entry(key, value, prev);',
  },
];

// A field that was NaN once holds a boxed double for ever: positions in the stack and in the code become small integers.
// All of them are set before they are read.
const POSITIONS: readonly Patch[] = [
  ...['funcOff', 'l_base', 'l_savedpc', 'nresults', 'callstatus', 'stack_last', 'oldpc'].map((field) => ({
    file: 'lstate.js',
    pattern: `this.${field} = NaN;`,
    replacement: `this.${field} = 0;`,
  })),
  { file: 'lstate.js', pattern: 'this.top = NaN;', replacement: 'this.top = 0;', times: 2 },
];

// The bridge makes userdata itself (of no size), and puts its own object there.
const USERDATA: readonly Patch[] = [
  {
    file: 'lobject.js',
    pattern: 'this.data = Object.create(null);',
    replacement: 'this.data = size === void 0 ? null : Object.create(null);',
  },
  {
    file: 'lobject.js',
    pattern: 'this.uservalue = new TValue(LUA_TNIL, null);',
    replacement: 'this.uservalue = size === void 0 ? null : new TValue(LUA_TNIL, null);',
  },
];

// The record of a call is used again by the next call from the same place: a loop of host calls makes one.
const CALLS: readonly Patch[] = [
  {
    file: 'lstate.js',
    pattern: 'const luaE_extendCI = function(L) {\n    let ci = new CallInfo();',
    replacement:
      'const luaE_extendCI = function(L) {\n    let ci = L.ci.next;\n' +
      '    if (ci !== null) { ci.c_k = null; ci.c_old_errfunc = null; ci.c_ctx = null; L.ci = ci; return ci; }\n' +
      '    ci = new CallInfo();',
  },
  {
    file: 'ldo.js',
    pattern: 'L.ci = ci.previous;\n    L.ci.next = null;',
    replacement: 'L.ci = ci.previous;\n    ci.next = null;\n    ci.l_code = null;',
  },
  // Registers of the caller keep their cells, as they do while it runs: what they held is let go.
  {
    file: 'ldo.js',
    pattern: 'for (let i=L.top; i>=newtop; i--)',
    replacement:
      'let last = L.top;\n' +
      '    if (L.ci.callstatus & lstate.CIST_LUA) {\n' +
      '        let end = L.ci.top < last ? L.ci.top : last;\n' +
      '        for (let i=newtop; i<end; i++) L.stack[i].setnilvalue();\n' +
      '        if (end > newtop) newtop = end;\n' +
      '    }\n' +
      '    for (let i=last; i>=newtop; i--)',
  },
  {
    file: 'ldo.js',
    pattern: 'L.top = newtop;\n    return true;',
    replacement: 'L.top = res + wanted;\n    return true;',
  },
  {
    file: 'ldo.js',
    pattern: 'while (L.top < newtop)\n            L.stack[L.top++] = new lobject.TValue(LUA_TNIL, null);\n    } else {',
    replacement:
      'while (L.top < newtop) {\n' +
      '            if (L.stack[L.top] === void 0) L.stack[L.top] = new lobject.TValue(LUA_TNIL, null);\n' +
      '            L.top++;\n' +
      '        }\n    } else {',
  },
];

/** Changes that no program sees but in time and memory. */
export const SPEED: readonly Patch[] = [
  ...STACK,
  ...STRINGS,
  ...CONCATENATION,
  ...TABLES,
  ...ENTRIES,
  ...POSITIONS,
  ...USERDATA,
  ...CALLS,
];
