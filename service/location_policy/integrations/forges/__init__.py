"""GitHub, GitLab, Gitea and Forgejo: problems as each shows them, and the comment on a pull request."""
