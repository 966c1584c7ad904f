// Preloaded: names below .localhost are this machine (RFC 6761), which the resolver of a bare Debian does not know.
import dns from 'node:dns';

const lookup = dns.lookup;

dns.lookup = (name, options, done) =>
    lookup(/(^|\.)localhost$/i.test(name) ? '127.0.0.1' : name, options, done);
