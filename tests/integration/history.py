"""Whether one order explains what clients of a register saw (linearizability). Operations are dictionaries: kind ('read' or 'swap'),
value (read: what came back; swap: what is stored), expected (swap), done (swap: True or False), asked, answered (None: no answer, so
it may have happened at any time after it was asked for, or not at all)."""

FOREVER = float('inf')


def explain(operations):
    """None when some order explains the operations, else the first of those that no order reaches."""
    ordered = sorted((one for one in operations if one['kind'] == 'swap' or one['answered'] is not None), key=lambda one: one['asked'])
    ends = [FOREVER if one['answered'] is None else one['answered'] for one in ordered]
    tried, deepest = set(), 0

    def after(one, value):
        if one['kind'] == 'read':
            return value if one['value'] == value else None
        swaps = one['expected'] == value
        if one['answered'] is None:
            return one['value'] if swaps else None  # not having happened is the same as never being chosen
        if swaps != one['done']:
            return None
        return one['value'] if swaps else value

    # The search goes on from (what is done, the value it leaves); a stack, since histories are longer than Python recurses. Of the
    # operations that are left, only those asked before any other was answered may come next.
    total = sum(end != FOREVER for end in ends)
    stack = [(0, frozenset(), 0, 0)]  # everything before the first number is done, besides the set; how many of them were answered
    while stack:
        first, done, value, answered = stack.pop()
        while first < len(ordered) and first in done:
            done = done - {first}
            first += 1
        if (first, done, value) in tried:
            continue
        tried.add((first, done, value))
        deepest = max(deepest, first)
        if answered == total:
            return None
        limit = FOREVER
        next_ones = []
        for i in range(first, len(ordered)):
            if ordered[i]['asked'] > limit:
                break
            if i not in done:
                limit = min(limit, ends[i])
                next_ones.append(i)
        # The earliest answers are tried first.
        for i in sorted((i for i in next_ones if ordered[i]['asked'] <= limit), key=lambda i: -ends[i]):
            following = after(ordered[i], value)
            if following is not None:
                stack.append((first, done | {i}, following, answered + (ends[i] != FOREVER)))
    return ordered[min(deepest, len(ordered) - 1)]
