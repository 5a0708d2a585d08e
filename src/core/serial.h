#ifndef CORE_SERIAL_H
#define CORE_SERIAL_H

#include "base/bytes.h"

/*
 * The serialization that a value's (expanded) bytes are in, by the headers
 * that frameworks put in front: "Rails cache entry", "PHP serialize",
 * "Symfony cache item (igbinary)", "Java serialization"… NULL when none is
 * certain. Of a value that was cut its first part is enough, but for MessagePack
 * and PHP scalars, which have no header and must parse to their end.
 *
 * Sources: Rails ActiveSupport::Cache (coder.rb, serializer_with_fallback.rb,
 * message_pack/serializer.rb) and Ruby's doc/marshal.rdoc; Symfony Cache
 * (CacheItem.php, Traits/ValueWrapper.php, ChainAdapter.php before 6.4);
 * igbinary (igbinary.h, igbinary.c); PHP's serialize() format; Python's
 * pickletools (django-redis: serializers/pickle.py); the Java Object
 * Serialization Specification §6.4.2; msgpack's spec.md.
 */
const char *serial_name(struct bytes value);

#endif
