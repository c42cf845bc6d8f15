import type { Cluster, ClusterNode, Redis, RedisOptions } from 'ioredis';
import { messageOf } from '../errors.ts';

/** What a link takes commands through; both have the same ones. */
export type RedisClient = Redis | Cluster;

export const isCluster = (client: RedisClient): client is Cluster => 'nodes' in client && client.isCluster;

/** Whether the server is a node of a cluster. One that does not let us ask is taken for none. */
const isNode = async (client: Redis): Promise<boolean> => {
  try {
    return (await client.info('cluster')).includes('cluster_enabled:1');
  } catch {
    return false;
  }
};

/** All nodes that this one knows: any of them tells later where the others are. */
const nodesOf = async (client: Redis): Promise<readonly ClusterNode[]> => {
  const { host = '127.0.0.1', port = 6379 } = client.options;
  const known = new Map([[`${host}:${port}`, { host, port }]]);
  for (const [, , ...nodes] of await client.cluster('SLOTS')) {
    for (const [name, at] of nodes) {
      const node = { host: name || host, port: at }; // a node may not know its own name
      known.set(`${node.host}:${node.port}`, node);
    }
  }
  return [...known.values()];
};

/**
 * A client for the whole cluster that the server is part of, connected; undefined where it is part of none.
 * @throws Error when the cluster does not take it.
 */
export const clusterOf = async (
  client: Redis,
  { retryMs }: { readonly retryMs: (attempt: number) => number },
): Promise<Cluster | undefined> => {
  if (!(await isNode(client))) return undefined;
  const { Cluster: Made } = await import('ioredis');
  const { username, password, tls, connectionName, connectTimeout, socketTimeout } = client.options;
  const given = { username, password, tls, connectionName, connectTimeout, socketTimeout };
  const redisOptions = Object.fromEntries(
    Object.entries(given).filter(([, value]) => value !== undefined && value !== null),
  );
  const cluster = new Made([...(await nodesOf(client))], {
    lazyConnect: true,
    redisOptions: redisOptions as RedisOptions,
    clusterRetryStrategy: retryMs,
    // As for one server: what cannot be sent now fails now, and nothing is sent again that may have been carried out.
    enableOfflineQueue: false,
    retryDelayOnFailover: 0,
    // It asks a node that may not be connected yet, and gives up for good. A cluster that is down answers CLUSTERDOWN.
    enableReadyCheck: false,
    // Who holds which slot is asked again, for what has moved without an answer that says so.
    slotsRefreshInterval: 5000,
    // Certificates are made out to names; a node tells addresses.
    ...(tls !== undefined && { dnsLookup: (address, found) => found(null, address) }),
  });
  cluster.on('error', () => {}); // `connect` rejects with it; the link listens from then on
  // A node is connected with its first command, and refuses further ones until it is: this is the first.
  const greet = async (node: Redis): Promise<void> => {
    await node.ping().catch(() => {}); // a node that is away: commands for its keys say so
  };
  cluster.on('+node', greet);
  try {
    await cluster.connect();
    await Promise.all(cluster.nodes('master').map(greet));
    return cluster;
  } catch (error) {
    cluster.disconnect();
    throw new Error(`the cluster: ${messageOf(error)}`, { cause: error });
  }
};
