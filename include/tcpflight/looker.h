/*
 * What a thread calls itself while it looks at sockets. The iterator locks each of them for a moment, and packets that
 * came meanwhile are worked off by that thread: no tcpflight may take it for the sockets' owner, not even another
 * one's.
 */
#ifndef TCPFLIGHT_LOOKER_H
#define TCPFLIGHT_LOOKER_H

#define TF_LOOKER_NAME "tcpflight-look" /* 8 to 15 bytes: they are compared from the ninth on first */

#endif
