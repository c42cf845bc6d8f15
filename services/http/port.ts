import { portKey } from '../../runtime/env.ts';

/** What listens: the command line prints it, tests ask for it. */
export interface HttpServers {
  /** The services that listen now, ordered by id. `address` is `host:port`, with the port that was picked for 0. */
  addresses(): readonly { readonly id: string; readonly address: string }[];
}
export const HTTP_SERVERS = portKey<HttpServers>('http servers');
