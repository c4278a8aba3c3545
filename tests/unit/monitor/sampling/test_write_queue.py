"""Bounded queue between two threads."""

import pytest

from monitor.sampling.write_queue import WriteQueue

pytestmark = pytest.mark.unit


def test_queue_keeps_taken_items_until_they_are_removed():
    queue = WriteQueue(10)
    queue.extend([1, 2, 3])
    assert (queue.take(2), len(queue)) == ([1, 2], 3)
    queue.put_back()
    assert queue.take(5) == [1, 2, 3]
    queue.extend([4])
    queue.remove_taken()
    assert queue.items() == [4]


def test_queue_drops_the_oldest_item_that_is_not_taken():
    queue = WriteQueue(3)
    assert queue.extend([1, 2, 3]) == 0
    queue.take(1)
    assert queue.extend([4]) == 1
    queue.put_back()
    assert (queue.take(9), queue.dropped) == ([1, 3, 4], 1)


def test_queue_drops_nothing_while_all_items_are_taken():
    queue = WriteQueue(2)
    queue.extend([1, 2])
    queue.take(2)
    queue.extend([3])
    queue.extend([4])
    queue.remove_taken()
    assert (queue.take(9), queue.dropped) == ([4], 1)


def test_queue_replaces_each_item():
    queue = WriteQueue(3)
    queue.extend([1, 2])
    queue.replace_each(lambda item: 10 * item)
    assert queue.items() == [10, 20]
