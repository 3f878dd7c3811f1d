// Package udp sends datagrams in batches: many receivers in one system call (sendmmsg), and a run of equal datagrams to one receiver
// as one message that the kernel cuts apart (UDP generic segmentation offload, UDP_SEGMENT). In a forwarder the way through the
// kernel is the bill, not the cryptography: the packets of one video frame come in a run and have equal sizes, so a run costs one
// walk through routing, filters and queue discipline instead of one per packet. Reader is the other end: a run comes whole.
//
// # The life of a datagram here
//
//  1. Writer.Write copies it into a pooled buffer (or Get lends one to be filled in) and Send puts it at the end of the queue. It does
//     not wait for room: behind a full queue a media packet is late for its listener anyway, and is dropped by name (QueueFull).
//  2. The first one in an empty queue wakes Run, the only goroutine. When many are being sent it may linger for a moment, so that the
//     rest of the frame may come, unless enough waits already; then it takes the whole queue. On a busy core whoever queues may get far ahead of Run: when plenty
//     wait, it sends them itself.
//  3. plan puts the datagrams of one receiver together in the order they came, and cuts them into runs: equal lengths, of which only
//     the last may be shorter (what UDP_SEGMENT can express).
//  4. All runs go to the kernel with sendmmsg, a single datagram without ceremony. A run that the kernel refuses goes again datagram by
//     datagram (an interface without checksum offload, a path with a small MTU); one that it refuses alone is dropped by name
//     (SendFailed).
//
// Order is kept for each receiver. Between receivers there is none to keep.
package udp
