"""Replicas that serve requests, event by event: queues, batches, the next due, and whose turn it is.

Each replica prefills one prompt at a time, and while it does its decoding sequences stand still; the rest of the model stands
in hil/loads/inference.py. A request goes to the first of the replicas with the fewest outstanding. Both that one and the next
event are found by a tree of winners over the replicas. Waiting requests and batches (skew heaps by the end on the replica's
own decode clock) are nodes of one pool, so memory goes with what is outstanding. Nothing here knows a scenario or makes a
request.
"""

import numpy as np

from libc.math cimport INFINITY

cdef enum:
    WHY_REACHED
    WHY_NEEDS_REQUESTS
    WHY_NEEDS_NODES
    WHY_FULL

REACHED, NEEDS_REQUESTS, NEEDS_NODES, FULL = WHY_REACHED, WHY_NEEDS_REQUESTS, WHY_NEEDS_NODES, WHY_FULL

cdef struct Node:
    double end_s  # on the decode clock
    double prefill_w
    long long order
    long long context
    long long generated
    int left  # of the heap; in a queue and among the free ones: the next
    int right

cdef struct Replica:
    double decode_clock_s  # stands still while it prefills
    double since_s
    double due_s
    long long due_order
    double level_w  # above idle
    int head
    int tail
    int prefilling
    int root
    int batch
    int outstanding

_NODE = np.dtype(
    [
        ("end_s", "f8"), ("prefill_w", "f8"), ("order", "i8"), ("context", "i8"), ("generated", "i8"), ("left", "i4"),
        ("right", "i4"),
    ],
    align=True,
)
_REPLICA = np.dtype(
    [
        ("decode_clock_s", "f8"), ("since_s", "f8"), ("due_s", "f8"), ("due_order", "i8"), ("level_w", "f8"), ("head", "i4"),
        ("tail", "i4"), ("prefilling", "i4"), ("root", "i4"), ("batch", "i4"), ("outstanding", "i4"),
    ],
    align=True,
)


cdef class Replicas:
    """A fleet of equal replicas. Copied (`copy.deepcopy`) or pickled in mid-run, copy and original go on alike.

    decode_w: power above idle of a replica that decodes 0, 1, … sequences, W, shape (most sequences + 1,).
    """

    cdef double prefill_tokens_per_s
    cdef double decode_tokens_per_s
    cdef double[::1] decode_w
    cdef Node[::1] nodes
    cdef Replica[::1] replicas
    cdef int[::1] free_to  # trees of winners: node 1 is the root, the children of n are 2n and 2n + 1; -1: nobody
    cdef int[::1] soonest
    cdef int leaves
    cdef int free
    cdef long long order
    cdef double[::1] arrival_s  # requests to come, from `next_request` on
    cdef long long[::1] context
    cdef long long[::1] generated
    cdef double[::1] prefill_w
    cdef Py_ssize_t next_request
    cdef bint ended

    def __init__(self, replicas, decode_w, prefill_tokens_per_s, decode_tokens_per_s):
        self.prefill_tokens_per_s = prefill_tokens_per_s
        self.decode_tokens_per_s = decode_tokens_per_s
        self.decode_w = np.array(decode_w, dtype=np.float64)
        fleet = np.zeros(replicas, _REPLICA)
        fleet["due_s"] = np.inf
        for name in ("head", "tail", "prefilling", "root"):
            fleet[name] = -1
        self.replicas = fleet
        self.leaves = 1
        while self.leaves < replicas:
            self.leaves *= 2
        winners = np.full(2 * self.leaves, -1, np.int32)
        winners[self.leaves : self.leaves + replicas] = np.arange(replicas)
        for node in range(self.leaves - 1, 0, -1):
            winners[node] = winners[2 * node]  # equals: the first
        self.free_to, self.soonest = winners, winners.copy()
        self.nodes = np.zeros(0, _NODE)
        self.free = -1
        self.order = 0
        self._take(np.empty(0), np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
        self.next_request = 0
        self.ended = False

    def __reduce__(self):
        arrays = [np.array(self.decode_w), np.array(self.nodes), np.array(self.replicas)]
        trees = [np.array(self.free_to), np.array(self.soonest)]
        begin = self.next_request
        requests = [np.array(self.arrival_s[begin:]), np.array(self.context[begin:])]
        requests += [np.array(self.generated[begin:]), np.array(self.prefill_w[begin:])]
        numbers = (self.prefill_tokens_per_s, self.decode_tokens_per_s, self.leaves, self.free, self.order)
        return _restored, (arrays + trees, requests, numbers, self.ended)

    def _take(self, arrival_s, context, generated, prefill_w):
        self.arrival_s, self.context, self.generated, self.prefill_w = arrival_s, context, generated, prefill_w

    def _restore(self, arrays, requests, numbers, ended):
        self.decode_w, self.nodes, self.replicas, self.free_to, self.soonest = arrays
        self._take(*requests)
        self.prefill_tokens_per_s, self.decode_tokens_per_s, self.leaves, self.free, self.order = numbers
        self.ended = ended

    def offer(self, arrival_s, context, generated, prefill_w):
        """Requests that come after those offered before, in order of arrival; prefill_w: power above idle while prefilled."""
        begin = self.next_request
        self._take(
            np.concatenate([self.arrival_s[begin:], arrival_s]),
            np.concatenate([self.context[begin:], context]),
            np.concatenate([self.generated[begin:], generated]),
            np.concatenate([self.prefill_w[begin:], prefill_w]),
        )
        self.next_request = 0

    def end(self):
        """Say that there are no more requests."""
        self.ended = True

    def grow(self):
        """Room for twice as many outstanding requests, or for the first ones."""
        before = self.nodes.shape[0]
        nodes = np.zeros(max(256, 2 * before), _NODE)
        nodes[:before] = self.nodes
        nodes["left"][before:] = np.arange(before + 1, nodes.size + 1)
        nodes["left"][nodes.size - 1] = self.free
        self.nodes = nodes
        self.free = before

    @property
    def power_w(self):
        """Power above idle as of the latest event, W."""
        cdef double total = 0.0
        cdef Py_ssize_t i
        for i in range(self.replicas.shape[0]):
            total += self.replicas[i].level_w
        return total

    def serve(self, double until_s, double[::1] step_s, double[::1] step_w, double[::1] done_s, long long[:, ::1] done):
        """Go on up to a time. Returns why it stopped, how many steps of power it wrote, and how many requests are complete.

        step_s, step_w: when and by how much the power changes. done_s, done: when requests were complete, and their tokens,
        context and generated, shape (n, 2). All must be of one length.
        """
        cdef Py_ssize_t steps = 0
        cdef Py_ssize_t complete = 0
        cdef Py_ssize_t room = step_s.shape[0]
        cdef Py_ssize_t known = self.arrival_s.shape[0]
        cdef double arrival, due, now, change
        cdef int i, node
        cdef int why = WHY_REACHED
        if step_w.shape[0] != room or done_s.shape[0] != room or done.shape[0] != room or done.shape[1] != 2:
            raise ValueError("buffers must be of one length")
        with nogil:
            while True:
                if self.next_request < known:
                    arrival = self.arrival_s[self.next_request]
                elif self.ended:
                    arrival = INFINITY
                else:
                    why = WHY_NEEDS_REQUESTS
                    break
                i = self.soonest[1]
                due = self.replicas[i].due_s
                now = due if due <= arrival else arrival
                if now >= until_s:
                    break
                if steps == room or complete == room:
                    why = WHY_FULL
                    break
                if due <= arrival:
                    node = self._finish(i, now)
                    if node >= 0:
                        done_s[complete] = now
                        done[complete, 0] = self.nodes[node].context
                        done[complete, 1] = self.nodes[node].generated
                        complete += 1
                        self.nodes[node].left = self.free
                        self.free = node
                        self.replicas[i].outstanding -= 1
                        self._replay_free(i)
                else:
                    if self.free < 0:
                        why = WHY_NEEDS_NODES
                        break
                    i = self.free_to[1]
                    self._arrive(i, now)
                change = self._start(i, now)
                if change != 0.0:
                    step_s[steps] = now
                    step_w[steps] = change
                    steps += 1
        return why, steps, complete

    cdef void _arrive(self, int i, double now) noexcept nogil:
        cdef Py_ssize_t k = self.next_request
        cdef int node = self.free
        cdef Node *of = &self.nodes[node]
        cdef Replica *replica = &self.replicas[i]
        self.free = of.left
        of.context, of.generated, of.prefill_w = self.context[k], self.generated[k], self.prefill_w[k]
        of.left = of.right = -1
        self.next_request = k + 1
        if replica.head < 0:
            replica.head = node
        else:
            self.nodes[replica.tail].left = node
        replica.tail = node
        replica.outstanding += 1
        self._replay_free(i)
        if replica.prefilling < 0:
            replica.decode_clock_s += now - replica.since_s
            replica.since_s = now

    cdef int _finish(self, int i, double now) noexcept nogil:
        """A prefill ends, or the sequence with the least work left does; the request that is complete with it, or -1."""
        cdef Replica *replica = &self.replicas[i]
        cdef int node = replica.prefilling
        replica.since_s = now
        if node >= 0:
            replica.prefilling = -1
            if self.nodes[node].generated == 0:
                return node
            self.order += 1
            self.nodes[node].end_s = replica.decode_clock_s + <double>self.nodes[node].generated / self.decode_tokens_per_s
            self.nodes[node].order = self.order
            self.nodes[node].left = self.nodes[node].right = -1
            replica.root = self._merged(replica.root, node)
            replica.batch += 1
            return -1
        node = replica.root
        replica.root = self._merged(self.nodes[node].left, self.nodes[node].right)
        replica.batch -= 1
        replica.decode_clock_s = self.nodes[node].end_s
        return node

    cdef double _start(self, int i, double now) noexcept nogil:
        """Begin the next prefill if there is room, and set the replica's next event. Returns the step of its power."""
        cdef Replica *replica = &self.replicas[i]
        cdef double level, change, left
        cdef int node
        if replica.prefilling >= 0:
            return 0.0
        if replica.head >= 0 and replica.batch < self.decode_w.shape[0] - 1:
            node = replica.head
            replica.head = self.nodes[node].left
            replica.prefilling = node
            level = self.nodes[node].prefill_w
            replica.due_s = now + <double>self.nodes[node].context / self.prefill_tokens_per_s
        elif replica.batch > 0:
            level = self.decode_w[replica.batch]
            left = self.nodes[replica.root].end_s - replica.decode_clock_s
            replica.due_s = now + (left if left > 0.0 else 0.0)
        else:
            level = 0.0
            replica.due_s = INFINITY
        self.order += 1
        replica.due_order = self.order
        self._replay_soonest(i)
        change = level - replica.level_w
        replica.level_w = level
        return change

    cdef int _merged(self, int a, int b) noexcept nogil:
        """The root of two heaps made one; children change sides, which keeps them shallow on average."""
        cdef int root = -1
        cdef int rest
        cdef int *link = &root
        while a >= 0 and b >= 0:
            if self.nodes[b].end_s < self.nodes[a].end_s or (
                self.nodes[b].end_s == self.nodes[a].end_s and self.nodes[b].order < self.nodes[a].order
            ):
                a, b = b, a
            link[0] = a
            rest = self.nodes[a].right
            self.nodes[a].right = self.nodes[a].left
            link = &self.nodes[a].left
            a = rest
        link[0] = a if a >= 0 else b
        return root

    cdef void _replay_free(self, int i) noexcept nogil:
        """Find anew who has the fewest outstanding, after a change at one replica."""
        cdef int at = (self.leaves + i) // 2
        cdef int a, b, winner
        while at >= 1:
            a, b = self.free_to[2 * at], self.free_to[2 * at + 1]
            winner = b if b >= 0 and self.replicas[b].outstanding < self.replicas[a].outstanding else a
            if winner == self.free_to[at] and winner != i:
                return
            self.free_to[at] = winner
            at //= 2

    cdef void _replay_soonest(self, int i) noexcept nogil:
        """Find anew whose event is next, after a change at one replica; of equal times the one set first."""
        cdef int at = (self.leaves + i) // 2
        cdef int a, b, winner
        while at >= 1:
            a, b = self.soonest[2 * at], self.soonest[2 * at + 1]
            winner = a
            if b >= 0 and (
                self.replicas[b].due_s < self.replicas[a].due_s
                or (
                    self.replicas[b].due_s == self.replicas[a].due_s
                    and self.replicas[b].due_order < self.replicas[a].due_order
                )
            ):
                winner = b
            if winner == self.soonest[at] and winner != i:
                return
            self.soonest[at] = winner
            at //= 2


def _restored(arrays, requests, numbers, ended):
    replicas = Replicas(1, arrays[0], 1.0, 1.0)
    replicas._restore(arrays, requests, numbers, ended)
    return replicas


def ramped(const double[::1] begin_s, const double[::1] size_w, double edge_s, double start_s, double end_s, double level_w):
    """Break-points from `start_s` to `end_s` of a level and straight ramps of one length, as times and powers.

    begin_s, size_w: of the ramps, shape (n,), in order; none may have ended before `start_s`. edge_s: their length, above 0.
    """
    cdef Py_ssize_t n = begin_s.shape[0]
    cdef Py_ssize_t i = 0
    cdef Py_ssize_t ended = 0
    cdef Py_ssize_t count = 1
    cdef double running = 0.0  # sum of the sizes under way
    cdef double moment = 0.0  # and of the sizes times their beginnings, from start_s
    cdef double at, to_begin, to_end
    cdef double[::1] time_s, power_w
    if size_w.shape[0] != n or edge_s <= 0.0:
        raise ValueError("needs as many sizes as times, and an edge above 0")
    times, powers = np.empty(2 * n + 2), np.empty(2 * n + 2)
    time_s, power_w = times, powers
    with nogil:
        while i < n and begin_s[i] < start_s:
            running += size_w[i]
            moment += size_w[i] * (begin_s[i] - start_s)
            i += 1
        time_s[0], power_w[0] = start_s, level_w - moment / edge_s
        while ended < n:
            to_begin = begin_s[i] if i < n else INFINITY
            to_end = begin_s[ended] + edge_s if ended < i else INFINITY
            at = to_begin if to_begin <= to_end else to_end
            if at >= end_s:
                break
            if at > time_s[count - 1]:
                time_s[count] = at
                power_w[count] = level_w + (running * (at - start_s) - moment) / edge_s
                count += 1
            if to_begin <= to_end:
                running += size_w[i]
                moment += size_w[i] * (at - start_s)
                i += 1
            else:
                level_w += size_w[ended]
                running -= size_w[ended]
                moment -= size_w[ended] * (begin_s[ended] - start_s)
                ended += 1
        time_s[count] = end_s
        power_w[count] = level_w + (running * (end_s - start_s) - moment) / edge_s
        count += 1
    return times[:count], powers[:count]
