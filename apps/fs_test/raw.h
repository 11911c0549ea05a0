/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RAW_H
#define RAW_H

/* Tests: fs_test's README. @label: of the sessions. */
void packets(const char *label, unsigned int rounds);
void hostile(const char *label);

#endif
