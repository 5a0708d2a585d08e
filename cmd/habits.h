#ifndef CMD_HABITS_H
#define CMD_HABITS_H

/*
 * What does here what a command of the server, or a word of other tools, does there
 * ("keys", "FLUSHALL", "rm"): for the line that says that there is no such verb.
 * NULL: nothing is known of that word.
 */
const char *habit_instead(const char *word);

#endif
