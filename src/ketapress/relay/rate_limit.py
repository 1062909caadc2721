"""How many messages a second, and how many connections: limits of the relay and of each recipient domain.

They increase by addition and decrease by division, as in TCP and Postfix. Pure: results and seconds go in, seconds to
wait and numbers of connections come out.
"""

from collections import deque
from datetime import date

MIN_RATE = 0.1  # messages a second to the relay
MIN_DOMAIN_RATE = 1.0  # and to one domain: ten thousand greylisted messages take three hours
_SAMPLES = 50  # messages over which the rate is measured

WARM_UP_FIRST_DAY = 200  # messages: what large receivers accept from an unknown sender
WARM_UP_DAYS = 14


def warm_up_limit(start: date, today: date) -> int | None:
    """Return how many messages a warm-up allows today: twice as many as yesterday. None when it is over."""
    days = (today - start).days
    return WARM_UP_FIRST_DAY << max(days, 0) if days < WARM_UP_DAYS else None


class RateLimit:
    """At most so many messages a second, evenly spaced; half as many after each throttling reply.

    `limit` comes from the settings. Without it there is no limit until the relay asks for one, and none again once
    twice the rate that was too much is accepted.
    """

    def __init__(self, limit: float | None, minimum: float = MIN_RATE) -> None:
        self._limit = limit
        self._minimum = minimum
        self._rate = limit
        self._increase = 0.0
        self._free_at = 0.0
        self._ignores_throttles_until = 0.0
        self._accepted_at: deque[float] = deque(maxlen=_SAMPLES)

    @property
    def is_limited(self) -> bool:
        return self._rate is not None

    def delay(self, now: float) -> float:
        """Return the seconds until the next message may be sent."""
        if self._rate is None:
            return 0.0
        return min(max(self._free_at - now, 0.0), 1 / self._rate)  # limited, in case the clock was set back

    def reserve(self, now: float) -> float:
        """Reserve the next message and return the seconds to wait for it. The caller waits before the next call."""
        if self._rate is None:
            return 0.0
        delay = self.delay(now)
        self._free_at = now + delay + 1 / self._rate
        return delay

    def record_success(self, now: float) -> None:
        """Increase the rate: by a twentieth of the old rate for each second's worth of accepted messages."""
        self._accepted_at.append(now)
        if self._rate is None or not self._increase:
            return
        self._rate += self._increase / max(self._rate, 1)
        if self._limit is not None:
            self._rate = min(self._rate, self._limit)
        elif self._rate > 40 * self._increase:
            self._rate = None

    def record_throttle(self, now: float) -> None:
        """Halve the rate. Replies that other connections get to the same rate do not count again."""
        if now < self._ignores_throttles_until:
            return
        seconds = now - self._accepted_at[0] if self._accepted_at else 0.0
        measured_rate = len(self._accepted_at) / seconds if seconds > 0 else 1.0
        rate = measured_rate if self._rate is None else min(self._rate, max(measured_rate, self._minimum))
        self._rate = max(rate / 2, self._minimum)
        self._increase = max(rate / 20, self._minimum)
        self._free_at = self._ignores_throttles_until = now + 1 / self._rate


class DomainLimit:
    """The limits of one recipient domain: lower after each deferral, higher while messages are accepted."""

    def __init__(self, connections: int) -> None:
        self.open_connections = 0
        self._max_connections = self._limit = connections
        self._successes = 0
        self._rate_limit = RateLimit(None, MIN_DOMAIN_RATE)

    @property
    def is_unrestricted(self) -> bool:
        """Whether the domain deferred nothing, or has recovered since."""
        return self._limit >= self._max_connections and not self._rate_limit.is_limited

    @property
    def is_full(self) -> bool:
        return self.open_connections >= self._limit

    def delay(self, now: float) -> float:
        """Return the seconds until the next message may be sent."""
        return self._rate_limit.delay(now)

    def start_message(self, now: float) -> None:
        """Count one more connection that sends to this domain."""
        self.open_connections += 1
        self._rate_limit.reserve(now)

    def record_success(self, now: float) -> None:
        self._rate_limit.record_success(now)
        self._successes += 1
        if self._limit < self._max_connections and self._successes >= self._limit:
            self._successes = 0
            self._limit += 1

    def record_deferral(self, now: float) -> None:
        self._rate_limit.record_throttle(now)
        self._limit = max(1, self._limit // 2)
        self._successes = 0


class RelayLimits:
    """The limits of the relay and of all domains, for one process: each edition starts with what the last one learned."""

    def __init__(self, rate: float | None, connections: int) -> None:
        self.rate_limit = RateLimit(rate)
        self.connections = connections
        self._domain_limits: dict[str, DomainLimit] = {}

    def domain_limit(self, domain: str) -> DomainLimit:
        limit = self._domain_limits.get(domain)
        if limit is None:
            limit = self._domain_limits[domain] = DomainLimit(self.connections)
        return limit

    def discard_if_unrestricted(self, domain: str) -> None:
        """Drop the limit of a domain without open connections, unless it restricts something."""
        if self._domain_limits[domain].is_unrestricted:
            del self._domain_limits[domain]
