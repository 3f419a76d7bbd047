"""The commit that is served: watched for, built, made active and kept."""
