/** The server for tests, for `import`: the same class as for `require`. */

export { Server } from "./testing.js";
export type * from "./testing.js";
