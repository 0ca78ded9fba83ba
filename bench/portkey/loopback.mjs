// Portkey's server listens on all addresses and has no option for it: here it gets loopback only.
import net from "node:net";

const { listen } = net.Server.prototype;
net.Server.prototype.listen = function (port, ...rest) {
  return listen.call(this, { port, host: "127.0.0.1" }, rest.findLast((part) => typeof part === "function"));
};
