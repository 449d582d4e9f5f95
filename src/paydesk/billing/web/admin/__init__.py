"""The admin page: how the inbox, the handlers, the books and the mirror are, for whoever may see it.

    desk.admin(allow=lambda user: user.is_staff)

It is there for those alone whom the app's own function lets in, works without a script, and shows no secret.
"""
