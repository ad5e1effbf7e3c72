"""Finding lines in a log of any size: in a process of its own, so that no pattern holds the screen.

A thread with the package `regex` (`concurrent=True`, `timeout=0.3`) was measured beside it, over 1,000,000 lines of
68 MiB on a machine of 2 busy processors (time; longest stall of the event loop):

                                     regex in a thread          this process
    ERROR                            0.07 s; 5 ms               0.22 s; 8 ms
    error|warn|fail|nan              1.0 s; 9 ms                0.6 s; 8 ms
    the query of our own for errors  12.8 s                     5.8 s; 21 ms
    (a|aa)+$ given up                after 0.9 s; 74 ms         after 4 ms, when a key says so
    (?:a{65535}){65535}              holds the screen: > 12 s   given up after 1 ms

The last row decides: `regex` unfolds nested repeats when it compiles them, which no timeout ends and during which no
other thread has its turn. A process can be ended in any of this.
"""
