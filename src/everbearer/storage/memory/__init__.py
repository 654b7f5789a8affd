"""The store in memory: `MemoryStore`, its tables, and one file of verbs for each of them."""

from everbearer.storage.memory.store import MemoryStore as MemoryStore
