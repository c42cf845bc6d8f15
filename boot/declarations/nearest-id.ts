import { nearest } from '../../runtime/nearest.ts';

const parts = (id: string): readonly [string, string] => {
  const colon = id.indexOf(':');
  return [id.slice(0, colon), id.slice(colon + 1)];
};

/**
 * The id that `id` was probably meant to be. Names are compared with names: the namespace that two ids share would
 * make any two of them look alike.
 */
const nearestId = (id: string, known: Iterable<string>): string | undefined => {
  const [namespace, name] = parts(id);
  const others = [...known].map((one) => [one, ...parts(one)] as const);
  const local = nearest(
    name,
    others.filter(([, ns]) => ns === namespace).map(([, , other]) => other),
  );
  if (local !== undefined) return `${namespace}:${local}`;
  // The same name elsewhere is a likely slip, however far the namespaces are apart.
  return others.find(([, , other]) => other === name)?.[0];
};

/** ` Did you mean 'shop:web'?`, or nothing: to be put behind a sentence. */
export const didYouMeanId = (id: string, known: Iterable<string>): string => {
  const found = nearestId(id, known);
  return found === undefined ? '' : ` Did you mean '${found}'?`;
};
