"""What a project is made of, as one document: exported to a file, imported from it, deployed to environments.

Format ``flowize-project/1``. ``sections`` lists the parts; each can read itself out of a workspace and bring another
workspace in line with what was read.
"""
