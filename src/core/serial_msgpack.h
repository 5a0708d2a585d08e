#ifndef CORE_SERIAL_MSGPACK_H
#define CORE_SERIAL_MSGPACK_H

#include "base/bytes.h"

/*
 * True when b is, to its last byte, one MessagePack map with text for keys, or
 * an array that begins with such a map. The format has no header: anything
 * less happens in other bytes too.
 */
bool serial_msgpack_certain(struct bytes b);

#endif
