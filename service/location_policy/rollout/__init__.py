"""The commit that is served: watched for, built, put in force and kept."""
