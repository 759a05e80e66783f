/* The second thread of an input. It does one thing at a time, and nobody else does meanwhile. */
#ifndef SG_FUZZ_MISUSE_WORKER_H
#define SG_FUZZ_MISUSE_WORKER_H

/* Runs `task` there and waits; starts the thread if there is none. */
void worker_run(void (*task)(const void *argument), const void *argument);

/* The thread ends, if there is one; another begins with the next task. */
void worker_end(void);

#endif
