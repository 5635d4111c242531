// Package doctor checks what the alerter depends on: Slack's tokens, scopes and channels, the rules, and how far the windows
// were judged. It posts nothing and changes nothing.
//
// Facts are gathered in thin shells (ExamineSlack, ExamineRules, ExamineWork) and judged by functions of values (judge…).
package doctor
