// The stacks of the web server's threads.
#pragma once

namespace skep::net {

// Debian's civetweb gives its threads 100 KiB of stack, which a query of 50 nested levels overruns.
// This program has a pthread_attr_setstacksize of its own that gives at least 16 MiB; the pages are
// had only where they are used. Calling this links it in; it does nothing else.
void EnsureThreadStacks();

}  // namespace skep::net
